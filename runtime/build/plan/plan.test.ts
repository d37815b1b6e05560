import { expect } from "chai";
import type { Step } from "../dockerfile/instruction.ts";
import { parseDockerfile } from "../dockerfile/parse.ts";
import { applyStep, type ConfigStep, nopOf, type StageState, workdirOf } from "./apply-step.ts";
import { BuildArgs } from "./build-args.ts";
import { readExposedPorts } from "./exposed-ports.ts";
import { quotedRune } from "./quoted-rune.ts";
import { planRun, SCRIPT_PATH } from "./run-command.ts";
import {
  EMPTY_CONFIG,
  readStageConfig,
  type StageConfig,
  withPath,
  writeStageConfig,
} from "./stage-config.ts";

function stepOf<K extends Step["kind"]>(line: string): Extract<Step, { kind: K }> {
  const step = parseDockerfile(`FROM a\n${line}\n`).stages[0]?.steps[0]?.step;
  return step as Extract<Step, { kind: K }>;
}

function stateOf(config: Partial<StageConfig> = {}, cmdSet = false): StageState {
  return { config: { ...EMPTY_CONFIG, ...config }, cmdSet, author: "" };
}

const apply = (state: StageState, line: string) => applyStep(state, stepOf(line) as ConfigStep);
const SHELL = "/bin/sh -c #(nop) ";

describe("build: steps that change the configuration", () => {
  const CASES: readonly (readonly [
    line: string,
    change: Partial<StageConfig>,
    createdBy: string,
  ])[] = [
    ["ENV a=1 b=2", { env: ["a=1", "b=2"] }, `${SHELL} ENV a=1 b=2`],
    ["ENV a b c", { env: ["a=b c"] }, `${SHELL} ENV a=b c`],
    ["LABEL a=b", { labels: { a: "b" } }, `${SHELL} LABEL a=b`],
    ["LABEL a b c", { labels: { a: "b c" } }, `${SHELL} LABEL a=b c`],
    ["MAINTAINER me", {}, `${SHELL} MAINTAINER me`],
    [
      "CMD echo hi",
      { cmd: ["/bin/sh", "-c", "echo hi"] },
      `${SHELL} CMD ["/bin/sh" "-c" "echo hi"]`,
    ],
    ['CMD ["a", "b"]', { cmd: ["a", "b"] }, `${SHELL} CMD ["a" "b"]`],
    ["CMD []", { cmd: [] }, `${SHELL} CMD []`],
    ['ENTRYPOINT ["a"]', { entrypoint: ["a"] }, `${SHELL} ENTRYPOINT ["a"]`],
    ['SHELL ["bash", "-c"]', { shell: ["bash", "-c"] }, "bash -c #(nop)  SHELL [bash -c]"],
    ["USER www", { user: "www" }, `${SHELL} USER www`],
    ["VOLUME /a /b", { volumes: ["/a", "/b"] }, `${SHELL} VOLUME [/a /b]`],
    ["EXPOSE 80 53/udp", { exposedPorts: ["53/udp", "80/tcp"] }, `${SHELL} EXPOSE 53/udp 80`],
    ["STOPSIGNAL SIGINT", { stopSignal: "SIGINT" }, `${SHELL} STOPSIGNAL SIGINT`],
    ["ONBUILD RUN x", { onBuild: ["RUN x"] }, `${SHELL} ONBUILD RUN x`],
    [
      "HEALTHCHECK --interval=2s CMD x",
      {
        healthcheck: {
          test: ["CMD-SHELL", "x"],
          intervalMs: 2000,
          timeoutMs: 0,
          startPeriodMs: 0,
          startIntervalMs: 0,
          retries: 0,
        },
      },
      `${SHELL} HEALTHCHECK &{["CMD-SHELL" "x"] "2s" "0s" "0s" '\\x00'}`,
    ],
  ];
  for (const [line, change, createdBy] of CASES)
    it(line, () => {
      const applied = apply(stateOf(), line);
      expect(applied.state.config).to.deep.equal({ ...EMPTY_CONFIG, ...change });
      expect(applied.createdBy).to.equal(createdBy);
    });

  it("a variable that is there keeps its place", () => {
    const { state } = apply(stateOf({ env: ["a=1", "b=2"] }), "ENV a=3");
    expect(state.config.env).to.deep.equal(["a=3", "b=2"]);
  });
  it("a new entry point drops the base's command, not the stage's own", () => {
    const base = stateOf({ cmd: ["sh"] });
    expect(apply(base, 'ENTRYPOINT ["a"]').state.config.cmd).to.deep.equal([]);
    const { state } = apply(base, 'CMD ["b"]');
    expect(apply(state, 'ENTRYPOINT ["a"]').state.config.cmd).to.deep.equal(["b"]);
  });
  it("commands are for the shell there is", () => {
    const { state } = apply(stateOf({ shell: ["bash", "-ec"] }), "ENTRYPOINT x");
    expect(state.config.entrypoint).to.deep.equal(["bash", "-ec", "x"]);
    expect(nopOf(["bash", "-ec"], "WORKDIR /")).to.equal("bash -ec #(nop) WORKDIR /");
  });
  it("refuses a signal that is none", () => {
    expect(() => apply(stateOf(), "STOPSIGNAL SIGNOTHING")).to.throw("invalid signal: SIGNOTHING");
  });
  it("says when a health check takes another's place", () => {
    const { state } = apply(stateOf(), "HEALTHCHECK CMD x");
    expect(apply(state, "HEALTHCHECK NONE").note).to.equal(
      "Note: overriding previous HEALTHCHECK: [CMD-SHELL x]\n",
    );
  });
  it("a health check keeps what it does not say of the one before", () => {
    const first = apply(stateOf(), "HEALTHCHECK --interval=90s --retries=4 CMD x").state;
    const { state, createdBy } = apply(first, "HEALTHCHECK --timeout=1ms CMD y");
    const healthcheck = {
      ...{ test: ["CMD-SHELL", "y"], intervalMs: 90_000, timeoutMs: 1 },
      ...{ startPeriodMs: 0, startIntervalMs: 0, retries: 4 },
    };
    expect(state.config.healthcheck).to.deep.equal(healthcheck);
    expect(createdBy).to.equal(`${SHELL} HEALTHCHECK &{["CMD-SHELL" "y"] "0s" "1ms" "0s" '\\x00'}`);
  });
  it("working directories go on from the one before", () => {
    expect(workdirOf("", "a")).to.equal("/a");
    expect(workdirOf("/a", "b/../c")).to.equal("/a/c");
    expect(workdirOf("/a", "/b/")).to.equal("/b");
    expect(workdirOf("/a", "../../..")).to.equal("/");
  });
});

describe("build: ports of EXPOSE", () => {
  const CASES: readonly (readonly [spec: string, ports: readonly string[]])[] = [
    ["80", ["80/tcp"]],
    ["53/UDP", ["53/udp"]],
    ["8000-8002", ["8000/tcp", "8001/tcp", "8002/tcp"]],
    ["127.0.0.1:8080:80/sctp", ["80/sctp"]],
  ];
  for (const [spec, ports] of CASES)
    it(spec, () => expect(readExposedPorts([spec, spec])).to.deep.equal(ports));
  for (const spec of ["", "x", "0", "65536", "9-8", "80/icmp", "80/"])
    it(`refuses ${JSON.stringify(spec)}`, () =>
      expect(() => readExposedPorts([spec])).to.throw(/invalid (containerPort|proto)/));
});

describe("build: what RUN runs", () => {
  const CASES: readonly (readonly [line: string, words: readonly string[], script: string])[] = [
    ["RUN", ["/bin/sh", "-c"], ""],
    ["RUN a b", ["/bin/sh", "-c", "a b"], ""],
    ['RUN ["a", "b c"]', ["a", "b c"], ""],
    ["RUN <<E\na\nb\nE", ["/bin/sh", "-c", "a\nb\n"], ""],
    ["RUN <<-E\n\ta\n\tE", ["/bin/sh", "-c", "a\n"], ""],
    ["RUN cat <<-E\n\ta\n\tE", ["/bin/sh", "-c", "cat <<-E\n\ta\nE"], ""],
    ["RUN <<A <<B cat\na\nA\nb\nB", ["/bin/sh", "-c", "<<A <<B cat\na\nA\nb\nB"], ""],
    ["RUN <<E\n#!/bin/awk -f x\nE", ["/bin/awk", "-f x", SCRIPT_PATH], "#!/bin/awk -f x\n"],
    ["RUN <<E\n#!/bin/cat\nE", ["/bin/cat", SCRIPT_PATH], "#!/bin/cat\n"],
  ];
  for (const [line, words, script] of CASES)
    it(JSON.stringify(line), () => {
      const planned = planRun(stepOf<"run">(line), ["/bin/sh", "-c"]);
      expect(planned.words).to.deep.equal(words);
      expect(planned.script).to.equal(script);
    });
});

const historyOf = (args: BuildArgs, env: readonly string[]) => args.history(args.environment(env));

describe("build: arguments", () => {
  const given = new Map<string, string | undefined>([
    ["V", "given"],
    ["http_proxy", "proxy"],
    ["SPARE", undefined],
    ["NO_PROXY", "x"],
  ]);

  it("are unknown before their ARG, and what is given wins", () => {
    const args = new BuildArgs(given).forStage();
    expect(args.lookup("V")).to.equal(undefined);
    args.add({ name: "V", value: "default" });
    args.add({ name: "W", value: "default" });
    expect(args.lookup("V")).to.equal("given");
    expect(args.lookup("W")).to.equal("default");
  });
  it("before the first FROM are FROM's, and the value of a stage's that has none", () => {
    const all = new BuildArgs(new Map());
    all.addMeta({ name: "V", value: "1" });
    const stage = all.forStage();
    expect(stage.metaLookup("V")).to.equal("1");
    expect(stage.lookup("V")).to.equal(undefined);
    stage.add({ name: "V", value: undefined });
    expect(stage.lookup("V")).to.equal("1");
    expect(all.forStage().lookup("V")).to.equal(undefined);
  });
  it("are variables of commands, under the image's own", () => {
    const args = new BuildArgs(given).forStage();
    args.add({ name: "V", value: undefined });
    args.add({ name: "NONE", value: undefined });
    expect(args.environment([])).to.have.members(["V=given", "http_proxy=proxy", "NO_PROXY=x"]);
    expect(args.environment(["V=own"])).to.have.members(["http_proxy=proxy", "NO_PROXY=x"]);
  });
  it("that are predefined are in no history, unless an ARG names them", () => {
    const args = new BuildArgs(given).forStage();
    args.add({ name: "V", value: undefined });
    args.add({ name: "NO_PROXY", value: undefined });
    expect(historyOf(args, [])).to.deep.equal(["|2", "NO_PROXY=x", "V=given"]);
  });
  it("that are predefined are still counted, as none", () => {
    const args = new BuildArgs(given).forStage();
    expect(historyOf(args, [])).to.deep.equal(["|0"]);
    args.add({ name: "V", value: undefined });
    expect(historyOf(args, [])).to.deep.equal(["|1", "V=given"]);
    expect(historyOf(new BuildArgs(new Map()).forStage(), [])).to.deep.equal([]);
  });
  it("that nobody asked for are told", () => {
    const all = new BuildArgs(given);
    all.forStage().add({ name: "V", value: undefined });
    expect(all.unused()).to.deep.equal(["SPARE"]);
  });
});

describe("build: configurations", () => {
  it("are written as they were read, with what else their builder wrote", () => {
    const config = {
      ArgsEscaped: true,
      User: "www",
      ExposedPorts: { "80/tcp": {} },
      Env: ["PATH=/bin"],
      Entrypoint: ["a"],
      Cmd: ["b"],
      Healthcheck: { Test: ["CMD", "x"], Interval: 1_000_000_000, Retries: 2 },
      Volumes: { "/v": {} },
      WorkingDir: "/w",
      Labels: { a: "b" },
      OnBuild: ["RUN x"],
      StopSignal: "SIGINT",
      Shell: ["sh"],
    };
    const read = readStageConfig(
      {
        ...EMPTY_CONFIG,
        user: "www",
        exposedPorts: ["80/tcp"],
        env: ["PATH=/bin"],
        entrypoint: ["a"],
        cmd: ["b"],
        healthcheck: {
          test: ["CMD", "x"],
          intervalMs: 1000,
          timeoutMs: 0,
          startPeriodMs: 0,
          startIntervalMs: 0,
          retries: 2,
        },
        volumes: ["/v"],
        workdir: "/w",
        labels: { a: "b" },
        stopSignal: "SIGINT",
      },
      JSON.stringify({ config: { ...config, Image: "x", Hostname: "y" } }),
    );
    expect(writeStageConfig(read)).to.deep.equal(config);
  });
  it("have a PATH", () => {
    expect(withPath(EMPTY_CONFIG).env).to.have.length(1);
    expect(withPath({ ...EMPTY_CONFIG, env: ["PATH=/x"] }).env).to.deep.equal(["PATH=/x"]);
  });
});

describe("build: numbers that Go prints as characters", () => {
  for (const [code, text] of [
    [0, "'\\x00'"],
    [3, "'\\x03'"],
    [7, "'\\a'"],
    [10, "'\\n'"],
    [32, "' '"],
    [39, "'\\''"],
    [65, "'A'"],
    [127, "'\\x7f'"],
    [0x2028, "'\\u2028'"],
    [2 ** 31 - 1, "'\ufffd'"],
  ] as const)
    it(`${code} is ${text}`, () => expect(quotedRune(code)).to.equal(text));
});
