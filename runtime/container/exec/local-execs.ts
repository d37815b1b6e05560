import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { ClusterError } from "../../../core/errors.ts";
import { lookUpUser } from "../bundle.ts";
import { planExecConmonArgs } from "../conmon-args.ts";
import type { ContainerHost } from "../container-run.ts";
import type { ContainerPaths } from "../paths.ts";
import type { ContainerRecord } from "../record.ts";
import type { OciSpec } from "../spec/oci-spec.ts";
import { ConsoleWindow } from "../stream/console-window.ts";
import { RunStreams } from "../stream/run-streams.ts";
import { Turns } from "../turns.ts";
import type { ContainerAttachment, ContainerEvent, ContainerId } from "../types.ts";
import { startExec } from "./conmon-exec.ts";
import { planExecProcess } from "./exec-process.ts";
import type { ConsoleSize, Exec, ExecConfig, Execs } from "./types.ts";

const ID_BYTES = 32;
/** Commands that are remembered. */
const EXECS_MAX = 10_000;
/** Those that ended are remembered so long, for their exit code. */
const EXITED_KEPT_MS = 5 * 60_000;
/** Commands that are being started at once. */
const STARTS_MAX = 16;
/** Of a command that could not be started, when the reason gives no other. Source: moby, daemon/exec.go. */
const START_FAILED_EXIT_CODE = 126;

/** A container that commands are run in. */
export interface ExecHome {
  readonly record: ContainerRecord;
  readonly paths: ContainerPaths;
  readonly isRunning: boolean;
}

interface Known {
  exec: Exec;
  window: ConsoleWindow | undefined;
  /** Asked for before there was a window. */
  size: ConsoleSize | undefined;
  endedAtMs: number;
}

/** The commands in this machine's containers. Each has a conmon of its own, as its container has. */
export class LocalExecs implements Execs {
  readonly #host: ContainerHost;
  readonly #find: (id: ContainerId) => ExecHome;
  readonly #emit: (event: ContainerEvent) => void;
  readonly #execs = new Map<string, Known>();
  readonly #starts = new Turns("starting commands", { slots: STARTS_MAX, waitingMax: EXECS_MAX });

  /** @param find throws NotFound. */
  constructor(
    host: ContainerHost,
    find: (id: ContainerId) => ExecHome,
    emit: (event: ContainerEvent) => void,
  ) {
    this.#host = host;
    this.#find = find;
    this.#emit = emit;
  }

  createExec(containerId: ContainerId, config: ExecConfig): Exec {
    this.#requireRunning(containerId);
    this.#forgetOld();
    // Who makes one starts it next.
    void this.#host.cgroups.expectMove();
    if (this.#execs.size >= EXECS_MAX)
      throw new ClusterError(
        "ResourceExhausted",
        `cannot run another command: ${EXECS_MAX} are known already`,
      );
    const id = randomBytes(ID_BYTES).toString("hex");
    const exec: Exec = { id, containerId, config, state: "created", pid: 0, exitCode: 0 };
    this.#execs.set(id, { exec, window: undefined, size: undefined, endedAtMs: 0 });
    this.#tell(exec, "create");
    return exec;
  }

  getExec(id: string): Exec {
    return this.#get(id).exec;
  }

  execIdsOf(containerId: ContainerId): readonly string[] {
    const all = [...this.#execs.values()].map(({ exec }) => exec);
    const own = all.filter((exec) => exec.containerId === containerId && exec.state !== "exited");
    return own.map(({ id }) => id);
  }

  async startExec(
    id: string,
    { attached, size }: { readonly attached: boolean; readonly size?: ConsoleSize | undefined },
  ): Promise<ContainerAttachment | undefined> {
    const known = this.#get(id);
    const { exec } = known;
    if (exec.state !== "created")
      throw new ClusterError(
        "FailedPrecondition",
        `cannot start command ${id}: it was started before`,
        { details: { exec: id } },
      );
    const home = this.#requireRunning(exec.containerId);
    const dir = `${home.paths.bundle}/execs/${id}`;
    const { clock } = this.#host;
    const { attachStdin, tty } = exec.config;
    const input = { isOpen: attachStdin && attached, endsWithClient: !tty };
    const streams = new RunStreams(`${dir}/attach`, input, clock);
    const attachment = attached ? streams.attach() : undefined;
    known.exec = { ...exec, state: "running" };
    this.#tell(exec, "start");
    let ended: Promise<void>;
    try {
      const args = this.#prepare(home, exec, dir, { attached, size, isOpen: input.isOpen });
      const program = { path: this.#host.conmonPath, args, dir };
      const onAttachable = attached ? () => streams.open() : undefined;
      const run = await this.#starts.run(() =>
        startExec(program, onAttachable, this.#host.cgroups, clock),
      );
      known.exec = { ...known.exec, pid: run.pid };
      if (tty) openWindow(known, new ConsoleWindow(`${dir}/ctl`, clock));
      ended = run.exitCode.then((exitCode) => this.#end(known, exitCode, streams, dir));
    } catch (error) {
      streams.close();
      await this.#fail(known, error, dir);
      throw error;
    }
    if (attachment === undefined) return undefined;
    return {
      ...attachment,
      output: untilEnded(attachment.output, ended),
      detach: () => {
        attachment.close();
        this.#tell(exec, "detach");
      },
    };
  }

  resizeExec(id: string, size: ConsoleSize): void {
    const known = this.#get(id);
    const { exec, window } = known;
    if (!exec.config.tty || exec.state === "exited")
      throw new ClusterError(
        "FailedPrecondition",
        `cannot resize command ${id}: it has no terminal or does not run`,
        { details: { exec: id } },
      );
    if (window === undefined) known.size = size;
    else window.resize(size);
  }

  /** A run of a container has ended: what was not started in it never will be. */
  onContainerEnd(containerId: ContainerId): void {
    for (const [id, { exec }] of this.#execs)
      if (exec.containerId === containerId && exec.state === "created") this.#execs.delete(id);
  }

  onContainerRemoved(containerId: ContainerId): void {
    for (const [id, { exec }] of this.#execs)
      if (exec.containerId === containerId) this.#execs.delete(id);
  }

  /** Writes what the runtime reads; the arguments for conmon. */
  #prepare(
    { record, paths }: ExecHome,
    { id, config: exec }: Exec,
    dir: string,
    options: {
      readonly attached: boolean;
      readonly isOpen: boolean;
      readonly size: ConsoleSize | undefined;
    },
  ): string[] {
    const { runtimes, facts } = this.#host;
    const runtime = runtimes.get(record.config.runtime);
    const spec = JSON.parse(readFileSync(`${paths.bundle}/config.json`, "utf8")) as OciSpec;
    const process = planExecProcess({
      exec,
      base: spec.process,
      config: record.config,
      image: record.imageConfig,
      user: lookUpUser(
        exec.user === "" ? record : { ...record, config: { ...record.config, user: exec.user } },
        record.rootfs.merged,
      ),
      ownCapabilities: facts.ownCapabilities,
      size: options.size,
    });
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    writeFileSync(`${dir}/process.json`, JSON.stringify(process), { mode: 0o600 });
    return planExecConmonArgs({
      containerId: record.id,
      execId: id,
      dir,
      runtimePath: runtime.path,
      runtimeRoot: runtime.root,
      tty: exec.tty,
      attached: options.attached,
      input: { isOpen: options.isOpen, endsWithClient: !exec.tty },
    });
  }

  /** Never rejects. */
  async #end(known: Known, exitCode: number, streams: RunStreams, dir: string): Promise<void> {
    known.exec = { ...known.exec, state: "exited", exitCode };
    known.endedAtMs = this.#host.clock.monotonicMs();
    streams.finish();
    this.#tell(known.exec, "die");
    await rm(dir, { recursive: true, force: true }).catch(() => {
      // It goes with the container's run.
    });
  }

  async #fail(known: Known, error: unknown, dir: string): Promise<void> {
    const code = error instanceof ClusterError ? error.details.exitCode : undefined;
    const isKnown = code === 126 || code === 127;
    const exitCode = isKnown ? code : START_FAILED_EXIT_CODE;
    known.exec = { ...known.exec, state: "exited", exitCode };
    known.endedAtMs = this.#host.clock.monotonicMs();
    await rm(dir, { recursive: true, force: true });
  }

  #get(id: string): Known {
    const known = this.#execs.get(id);
    if (known !== undefined) return known;
    throw new ClusterError("NotFound", `no such command: ${id.slice(0, 64)}`);
  }

  #requireRunning(containerId: ContainerId): ExecHome {
    const home = this.#find(containerId);
    if (home.isRunning) return home;
    throw new ClusterError(
      "FailedPrecondition",
      `cannot run a command in container ${home.record.config.name}: it is not running`,
      { details: { container: containerId } },
    );
  }

  #forgetOld(): void {
    const nowMs = this.#host.clock.monotonicMs();
    for (const [id, { exec, endedAtMs }] of this.#execs)
      if (exec.state === "exited" && nowMs - endedAtMs > EXITED_KEPT_MS) this.#execs.delete(id);
  }

  #tell({ id, containerId, config, exitCode }: Exec, action: ExecAction): void {
    const { command } = config;
    this.#emit({ kind: "exec", id: containerId, execId: id, action, command, exitCode });
  }
}

/** A client asks for its size as soon as it is connected, which may be before the command runs. */
function openWindow(known: Known, window: ConsoleWindow): void {
  known.window = window;
  if (known.size === undefined) return;
  try {
    window.resize(known.size);
  } catch {
    // It has ended already.
  }
}

type ExecAction = Extract<ContainerEvent, { kind: "exec" }>["action"];

/** Who has read all of it may ask for the exit code. */
async function* untilEnded<T>(output: AsyncIterable<T>, ended: Promise<void>): AsyncGenerator<T> {
  yield* output;
  await ended;
}
