import { describeDuration } from "../../../core/duration.ts";
import { invalid } from "../../../core/shell-words/invalid.ts";
import type { Pair } from "../../../core/shell-words/words.ts";
import { parseSignal } from "../../container/signals.ts";
import type { CommandLine, HealthcheckFlags, Step } from "../dockerfile/instruction.ts";
import { readExposedPorts } from "./exposed-ports.ts";
import { quotedRune } from "./quoted-rune.ts";
import { DEFAULT_SHELL } from "./run-command.ts";
import type { StageConfig } from "./stage-config.ts";

/** Where a stage stands. */
export interface StageState {
  readonly config: StageConfig;
  /** CMD was said in this stage: a new ENTRYPOINT leaves it. */
  readonly cmdSet: boolean;
  /** Of MAINTAINER. */
  readonly author: string;
}

/** What a step makes of it. */
export interface AppliedStep {
  readonly state: StageState;
  /** As the history says it. */
  readonly createdBy: string;
  /** What whoever builds is told. */
  readonly note: string;
}

/** Steps that change nothing but the configuration. */
export type ConfigStep = Exclude<Step, { kind: "run" | "copy" | "add" | "arg" | "workdir" }>;

/**
 * The state after a step that changes the configuration alone.
 *
 * @param step expanded. @throws {ClusterError} InvalidArgument. Docker's words.
 * Source: Dockerfile reference.
 */
export function applyStep(state: StageState, step: ConfigStep): AppliedStep {
  const { config } = state;
  const become = (change: Partial<StageConfig>, comment: string, note = ""): AppliedStep => ({
    state: { ...state, config: { ...config, ...change } },
    // What a new SHELL says of itself, it says already.
    createdBy: nopOf(change.shell ?? config.shell, ` ${comment}`),
    note,
  });
  switch (step.kind) {
    case "env":
      return become({ env: withVariables(config.env, step.pairs) }, `ENV ${pairsText(step.pairs)}`);
    case "label": {
      const labels = Object.fromEntries(step.pairs.map(({ key, value }) => [key, value]));
      return become({ labels: { ...config.labels, ...labels } }, `LABEL ${pairsText(step.pairs)}`);
    }
    case "maintainer": {
      const applied = become({}, `MAINTAINER ${step.text}`);
      return { ...applied, state: { ...state, author: step.text } };
    }
    case "cmd": {
      const cmd = commandOf(step.command, config.shell);
      const applied = become({ cmd }, `CMD ${wordsText(cmd)}`);
      const cmdSet = state.cmdSet || step.command.words.length > 0;
      return { ...applied, state: { ...applied.state, cmdSet } };
    }
    case "entrypoint": {
      const entrypoint = commandOf(step.command, config.shell);
      const cmd = state.cmdSet ? config.cmd : [];
      return become({ entrypoint, cmd }, `ENTRYPOINT ${wordsText(entrypoint)}`);
    }
    case "shell":
      return become({ shell: step.words }, `SHELL [${step.words.join(" ")}]`);
    case "user":
      return become({ user: step.user }, `USER ${step.user}`);
    case "volume": {
      for (const path of step.paths)
        if (path === "") throw invalid("VOLUME specified can not be an empty string");
      const volumes = [...new Set([...config.volumes, ...step.paths])];
      return become({ volumes }, `VOLUME [${step.paths.join(" ")}]`);
    }
    case "expose": {
      const exposedPorts = [...new Set([...config.exposedPorts, ...readExposedPorts(step.ports)])];
      return become({ exposedPorts }, `EXPOSE ${step.ports.join(" ")}`);
    }
    case "stopsignal":
      parseSignal(step.signal);
      return become({ stopSignal: step.signal }, `STOPSIGNAL ${step.signal}`);
    case "onbuild":
      return become(
        { onBuild: [...config.onBuild, step.expression] },
        `ONBUILD ${step.expression}`,
      );
    case "healthcheck": {
      const { test, flags } = step;
      const old = config.healthcheck?.test ?? [];
      const isOverridden = old.length > 0 && old[0] !== "NONE";
      const note = isOverridden
        ? `Note: overriding previous HEALTHCHECK: [${old.join(" ")}]\n`
        : "";
      const text = `HEALTHCHECK ${healthcheckText(test, flags)}`;
      return become(
        { healthcheck: { test, ...keepUnsaid(flags, config.healthcheck) } },
        text,
        note,
      );
    }
  }
}

/** What the history says of a step that runs nothing. Docker's words. */
export function nopOf(shell: readonly string[], comment: string): string {
  return [...(shell.length > 0 ? shell : DEFAULT_SHELL), `#(nop) ${comment}`].join(" ");
}

/** The absolute path of WORKDIR, from the one before it. */
export function workdirOf(before: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${before}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

function commandOf({ words, isShell }: CommandLine, shell: readonly string[]): readonly string[] {
  if (!isShell || words.length === 0) return words;
  return [...(shell.length > 0 ? shell : DEFAULT_SHELL), ...words];
}

/** One that is there already keeps its place. */
function withVariables(env: readonly string[], pairs: readonly Pair[]): readonly string[] {
  const after = new Map(env.map((line) => [line.split("=", 1)[0] ?? "", line]));
  for (const { key, value } of pairs) after.set(key, `${key}=${value}`);
  return [...after.values()];
}

function pairsText(pairs: readonly Pair[]): string {
  return pairs.map(({ key, value }) => `${key}=${value}`).join(" ");
}

function wordsText(words: readonly string[]): string {
  return `[${words.map((word) => JSON.stringify(word)).join(" ")}]`;
}

/** Docker's builder lays a new check over the one there is: what it does not say stays. */
function keepUnsaid(
  flags: HealthcheckFlags,
  before: HealthcheckFlags | undefined,
): HealthcheckFlags {
  if (before === undefined) return flags;
  return {
    intervalMs: flags.intervalMs || before.intervalMs,
    timeoutMs: flags.timeoutMs || before.timeoutMs,
    startPeriodMs: flags.startPeriodMs || before.startPeriodMs,
    startIntervalMs: flags.startIntervalMs || before.startIntervalMs,
    retries: flags.retries || before.retries,
  };
}

/** As Go prints the structure with `%q`, a number as the character it is. */
function healthcheckText(test: readonly string[], flags: HealthcheckFlags): string {
  const { intervalMs, timeoutMs, startPeriodMs, startIntervalMs, retries } = flags;
  const times = [intervalMs, timeoutMs, startPeriodMs];
  if (startIntervalMs > 0) times.push(startIntervalMs);
  const said = times.map((ms) => `"${describeDuration(ms)}"`);
  return `&{${[wordsText(test), ...said, quotedRune(retries)].join(" ")}}`;
}
