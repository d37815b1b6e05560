import { ClusterError, errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { systemError } from "../linux/libc.ts";
import { isAlive, signalProcess } from "../linux/process.ts";
import type { RunResult } from "../linux/run.ts";
import { type ConmonLife, watchConmon } from "./conmon.ts";
import { type ContainerHost, createRun, inputModeOf } from "./container-run.ts";
import { HealthWatch } from "./health-watch.ts";
import {
  afterExit,
  afterFailedRemoval,
  afterFailedStart,
  afterHealth,
  afterPause,
  afterStart,
  afterStopRequest,
  UNKNOWN_EXIT_CODE,
} from "./life.ts";
import { applyLimits } from "./limits-change.ts";
import { carryOut, type NetworkChange } from "./live-networks.ts";
import type { JsonLog } from "./log/json-log.ts";
import { jsonLogOf } from "./log/json-log-of.ts";
import { networkFilesOf } from "./network-files.ts";
import type { OciRuntime } from "./oci-runtime.ts";
import { type ContainerPaths, containerPaths } from "./paths.ts";
import type { FindPeer, Peer } from "./peer.ts";
import type { ContainerRecord, ContainerStatus } from "./record.ts";
import type { RecordStore } from "./record-store.ts";
import { isStartedWithDaemon } from "./restart-policy.ts";
import { Restarts } from "./restarts.ts";
import { type RootView, RootViews } from "./root-views.ts";
import { RunEnds } from "./run-ends.ts";
import { clearRun, isConmonAlive, readEnding } from "./run-remains.ts";
import { KILL_WAIT_MS, SIGKILL, stopProcess, unendable } from "./stop-process.ts";
import { ConsoleWindow } from "./stream/console-window.ts";
import { ContainerStreams } from "./stream/container-streams.ts";
import { Turns } from "./turns.ts";
import type {
  Container,
  ContainerConfig,
  ContainerEvent,
  ContainerFile,
  HealthStatus,
} from "./types.ts";

/** What a container's shell works with beside the machine. */
export interface ContainerContext {
  readonly host: ContainerHost;
  readonly records: RecordStore;
  /** Starts of all containers together take turns here. */
  readonly starts: Turns;
  /** So do the commands run inside them. */
  readonly execs: Turns;
  readonly emit: (event: ContainerEvent) => void;
  readonly findPeer: FindPeer;
  readonly log: Log;
}

const JSON_LATE = "cannot write a container's log as JSON yet";
/** Operations of one container that may wait for their turn. */
const WAITING_MAX = 32;
/** What is kept of a command's output. */
export const EXEC_OUTPUT_BYTES_MAX = 65_536;

/**
 * The shell of one container: it starts, ends, watches and removes it, one at a time, and writes down what it became.
 *
 * What a state allows is decided in life.ts; how a run is made and cleared away is in container-run.ts and run-remains.ts.
 */
export class ManagedContainer {
  readonly paths: ContainerPaths;
  readonly streams: ContainerStreams;
  readonly window: ConsoleWindow;
  readonly jsonLog: JsonLog | undefined;
  readonly #context: ContainerContext;
  readonly #turns: Turns;
  readonly #health: HealthWatch;
  readonly #ends = new RunEnds();
  readonly #restarts: Restarts;
  readonly #views: RootViews;
  #record: ContainerRecord;
  #status: ContainerStatus;
  #execs = 0;
  #conmon: ConmonLife | undefined;
  /** Nothing of a run is left. */
  #isClear = false;

  constructor(record: ContainerRecord, status: ContainerStatus, context: ContainerContext) {
    const { config } = record;
    const { clock } = context.host;
    this.#record = record;
    this.#restarts = new Restarts(clock, () => this.#restart());
    this.paths = containerPaths(context.host.roots, record.id);
    this.#context = context;
    this.#turns = new Turns(`container ${config.name}`, { slots: 1, waitingMax: WAITING_MAX });
    this.#views = new RootViews(context.host, () => this.#afterViews());
    this.#health = new HealthWatch(
      record,
      {
        exec: (command, timeoutMs) => this.exec(command, timeoutMs),
        onHealth: (health) => this.#onHealth(health),
        emit: context.emit,
      },
      clock,
    );
    this.#status = status;
    this.jsonLog = jsonLogOf(record, this.paths);
    const input = inputModeOf(config);
    this.window = new ConsoleWindow(this.paths.controlFifo, clock);
    this.streams = new ContainerStreams(this.paths.attachSocket, input, clock);
  }

  get record(): ContainerRecord {
    return this.#record;
  }

  get isRunning(): boolean {
    return this.#status.state === "running";
  }

  /** It ran, and nothing will start it again but somebody. */
  get hasEnded(): boolean {
    return this.#status.state === "exited" && !this.#status.restarting;
  }

  view(): Container {
    const { process, stoppedByUser: _, ...status } = this.#status;
    const { id, config, imageId, imageConfig, mounts, createdAtMs } = this.record;
    const pid = process?.pid ?? 0;
    return { id, config, imageId, imageConfig, mounts, createdAtMs, ...status, pid };
  }

  /** As those see it who join its namespaces. */
  asPeer(): Peer {
    const { record, paths } = this;
    return { ...record, name: record.config.name, paths, process: this.#status.process };
  }

  /** @throws {ClusterError} FailedPrecondition when it runs; as `createRun`. */
  async start(files: readonly ContainerFile[] = []): Promise<void> {
    await this.#turns.run(async () => {
      if (this.isRunning) throw this.#refusal("start", "it is running");
      if (this.#status.state === "dead") throw this.#refusal("start", "its removal was begun");
      this.#restarts.reset();
      await this.#context.starts.run(() => this.#start(files, false));
    });
  }

  /**
   * Sends a signal to the first process; frozen ones go on, so that they get it.
   *
   * @param isLast whether it is meant to end it for good: its restart policy then does nothing.
   * @throws {ClusterError} FailedPrecondition when it does not run.
   */
  async kill(signal: number, isLast: boolean): Promise<void> {
    const { restarting } = this.#status;
    if (isLast) await this.#requestStop();
    const { process, paused } = this.#status;
    // Not to be started again is all that is left to do to one that has ended.
    if (process === undefined && restarting) return;
    if (process === undefined) throw this.#refusal("kill", "it is not running");
    signalProcess(process, signal);
    this.#context.emit({ kind: "killed", id: this.record.id, signal });
    if (isLast && paused) await this.unpause();
  }

  /** @throws {ClusterError} FailedPrecondition when it does not run or is frozen already. */
  async pause(): Promise<void> {
    await this.#turns.run(async () => {
      if (!this.isRunning) throw this.#refusal("pause", "it is not running");
      if (this.#status.paused) throw this.#refusal("pause", "it is paused already");
      this.#health.close();
      await this.#context.host.cgroups.freeze(this.record.id, true);
      await this.#note(afterPause(this.#status, true));
    });
    this.#context.emit({ kind: "paused", id: this.record.id });
  }

  /** @throws {ClusterError} FailedPrecondition when it is not frozen. */
  async unpause(): Promise<void> {
    await this.#turns.run(async () => {
      if (!this.#status.paused) throw this.#refusal("unpause", "it is not paused");
      await this.#context.host.cgroups.freeze(this.record.id, false);
      await this.#note(afterPause(this.#status, false));
      this.#health.begin(this.#status);
    });
    this.#context.emit({ kind: "unpaused", id: this.record.id });
  }

  /** Gives it other limits, at once when it runs, another restart policy or name. @throws {ClusterError} Internal. */
  async change(change: Partial<ContainerConfig>): Promise<void> {
    await this.#turns.run(async () => {
      const record = { ...this.record, config: { ...this.record.config, ...change } };
      if (change.limits !== undefined && this.isRunning)
        await applyLimits(record, this.#context.host);
      await this.commit(record);
    });
  }

  /** Gives it other networks, at once when it runs. @throws {ClusterError} what the change refuses. */
  async changeNetworks(change: NetworkChange): Promise<void> {
    await this.#turns.run(async () => carryOut(change, this, this.#context.host));
  }

  /** Writes down what it is from now on; in its turn only. */
  async commit(record: ContainerRecord): Promise<void> {
    await this.#context.records.commit(record);
    this.#record = record;
  }

  /**
   * Ends it by `signal`, and by SIGKILL when that took longer than `timeoutMs`; below zero: never by SIGKILL. No error when
   * it does not run.
   *
   * @throws {ClusterError} DeadlineExceeded when not even SIGKILL ends it.
   */
  async stop(signal: number, timeoutMs: number, isTold = true): Promise<void> {
    // A start that is under way is let finish: there is something to stop only then.
    await this.#turns.run(async () => {});
    await this.#requestStop();
    const { process, paused } = this.#status;
    if (process === undefined || !isAlive(process)) return;
    const { host, emit } = this.#context;
    const { id, config } = this.record;
    const onSent = (sent: number) => emit({ kind: "killed", id, signal: sent });
    const thaw = async () => (paused ? this.unpause() : undefined);
    const stopping = { signal, timeoutMs, ended: this.untilEnd(), onSent, thaw };
    if (!(await stopProcess(process, stopping, host.clock))) throw unendable(config.name, process);
    // Behind the end of the run, when all of it is cleared away: so whoever follows the journal knows it.
    if (isTold) await this.#turns.run(async () => emit({ kind: "stopped", id }));
  }

  /** Resolves when it does not run. */
  async untilEnd(): Promise<void> {
    while (this.isRunning) await this.#ends.next();
  }

  /** Calls back at each end of a run; returns how to stop that. */
  onEnd(listener: () => void): () => void {
    return this.#ends.on(listener);
  }

  /** @throws {ClusterError} FailedPrecondition when it does not run; Internal when the runtime fails. */
  async exec(command: readonly string[], timeoutMs: number): Promise<RunResult> {
    if (!this.isRunning) throw this.#refusal("run a command in", "it is not running");
    this.#execs += 1;
    const pidFile = `${this.paths.bundle}/exec-${this.#execs}.pid`;
    const limits = { timeoutMs, outputBytesMax: EXEC_OUTPUT_BYTES_MAX };
    return this.#context.execs.run(() =>
      this.#runtime.exec(this.record.id, command, pidFile, limits),
    );
  }

  /**
   * Opens its files to somebody who copies; the caller closes.
   *
   * @param withMounts also what is mounted into it: volumes, directories of the host.
   * @throws {ClusterError} FailedPrecondition when its removal was begun; as `RootViews.open`.
   */
  async openView(withMounts: boolean): Promise<RootView> {
    return this.#turns.run(() => {
      if (this.#status.state === "dead") throw this.#refusal("open", "its removal was begun");
      return this.#views.open(this.record, withMounts ? networkFilesOf(this.paths) : undefined);
    });
  }

  /**
   * Removes everything of it.
   *
   * @throws {ClusterError} FailedPrecondition when it runs and not `force`; else whatever could not be removed: it is then
   *   dead, and removing it again goes on where this ended.
   */
  async remove(force: boolean, withVolumes = true): Promise<void> {
    if (force) await this.stop(SIGKILL, KILL_WAIT_MS, false);
    await this.#turns.run(async () => {
      if (this.isRunning)
        throw this.#refusal("remove", "it is running: stop it first or remove it by force");
      this.#restarts.cancel();
      try {
        await this.#remove(withVolumes);
      } catch (error) {
        this.#status = afterFailedRemoval(this.#status, errorMessage(error));
        throw error;
      }
    });
  }

  /** Takes up what an earlier process left of it: it runs on, or has ended meanwhile, or its start was never finished. */
  async adopt(): Promise<void> {
    // In its turn: a start by the policy, which the end of a run may bring, waits until that run is cleared away.
    await this.#turns.run(() => this.#adopt());
  }

  get #runtime(): OciRuntime {
    return this.#context.host.runtimes.get(this.record.config.runtime);
  }

  async #adopt(): Promise<void> {
    if (this.isRunning && isConmonAlive(this.paths)) {
      const conmon = watchConmon(this.paths);
      this.streams.open();
      await this.#runtime.release(this.record.id, conmon.ended);
      this.#watch(conmon);
    } else if (this.isRunning) await this.#finish();
    else {
      await this.#clear();
      await this.#resume();
    }
  }

  /** Lets go of it; it runs on. */
  close(): void {
    this.#restarts.cancel();
    this.#conmon?.unwatch();
    this.#health.close();
    this.streams.close();
  }

  /** Does what its restart policy wants of one that does not run when the daemon starts. */
  async #resume(): Promise<void> {
    const { state, restarting } = this.#status;
    if (state !== "exited") return;
    if (!restarting && !isStartedWithDaemon(this.record.config.restart, this.#status)) return;
    await this.#note({ ...this.#status, restarting: true });
    this.#restarts.schedule(0);
  }

  /** Never rejects: a start by the policy that fails is written down and has no caller to tell. */
  async #restart(): Promise<void> {
    try {
      await this.#turns.run(async () => {
        if (!this.#status.restarting) return;
        await this.#context.starts.run(() => this.#start([], true));
      });
    } catch (error) {
      this.#warn("cannot start a container again", error);
    }
  }

  async #requestStop(): Promise<void> {
    this.#restarts.cancel();
    const { stoppedByUser, restarting } = this.#status;
    if (stoppedByUser && !restarting) return;
    await this.#note(afterStopRequest(this.#status));
    if (!restarting) return;
    this.#context.emit({ kind: "stopped", id: this.record.id });
    this.#ends.tell();
  }

  async #start(files: readonly ContainerFile[], byPolicy: boolean): Promise<void> {
    const { host, records, emit } = this.#context;
    const { id } = this.record;
    let conmon: ConmonLife | undefined;
    this.#isClear = false;
    try {
      const run = await createRun(this.record, files, host, this.#context.findPeer);
      conmon = run.conmon;
      const running = afterStart(this.#status, {
        process: run.process,
        startedAtMs: host.clock.nowMs(),
        hasHealthCheck: this.#health.isWanted,
        byPolicy,
      });
      // Written before the program runs: a run nobody knows of would be cleared away by the next process.
      await records.saveStatus(id, running);
      this.jsonLog?.begin();
      this.streams.open();
      await this.#runtime.release(id, conmon.ended);
      this.#status = running;
    } catch (error) {
      conmon?.unwatch();
      await this.#clear();
      this.streams.endRun();
      const failure = systemError(error, `start container ${this.record.config.name}`);
      await this.#note(afterFailedStart(this.#status, failure));
      throw failure;
    }
    emit({ kind: "started", id });
    this.#watch(conmon);
  }

  /** Follows a run to its end. */
  #watch(conmon: ConmonLife): void {
    this.#conmon = conmon;
    void conmon.ended.then(() => this.#turns.runFirst(() => this.#finish()));
    if (!this.#status.paused) this.#health.begin(this.#status);
  }

  async #onHealth(health: HealthStatus): Promise<void> {
    const { process } = this.#status;
    // A check that ends with its container says nothing of it: the last one before does.
    if (process === undefined || !isAlive(process)) return;
    const before = this.#status.health.state;
    const status = afterHealth(this.#status, health);
    if (health.state === before) {
      this.#status = status;
      return;
    }
    this.#context.emit({ kind: "health", id: this.record.id, state: health.state });
    await this.#note(status);
  }

  /** Never rejects: the end of a run is a fact, whatever fails in writing it down. */
  async #finish(): Promise<void> {
    const { host, emit } = this.#context;
    const { id } = this.record;
    this.#restarts.cancel();
    this.#conmon?.unwatch();
    this.#health.close();
    const ending = await readEnding(id, host);
    // Without a conmon nothing reads its output or tells its end: what is left of it must not run on unseen.
    if (ending.exitCode === UNKNOWN_EXIT_CODE) await this.#clear();
    const { restart, autoRemove } = this.record.config;
    // Who hears of its end finds its last lines in the JSON log too, but for a very long one.
    if (!autoRemove) await this.jsonLog?.catchUp().catch((error) => this.#warn(JSON_LATE, error));
    const restartInMs = this.#restarts.plan(restart, this.#status, ending);
    // Before anybody hears of its end: who starts another then may want the same ports.
    this.#releasePorts();
    this.streams.endRun();
    await this.#note(afterExit(this.#status, ending, restartInMs !== undefined));
    if (restartInMs !== undefined) this.#restarts.schedule(restartInMs);
    const { exitCode, oomKilled } = ending;
    const ranMs = ending.finishedAtMs - this.#status.startedAtMs;
    emit({ kind: "exited", id, exitCode, oomKilled, ranMs });
    this.#ends.tell();
    await this.#clear();
  }

  #releasePorts(): void {
    try {
      this.#context.host.ports.unpublish(this.record.id);
    } catch (error) {
      this.#warn("cannot give back a container's ports yet", error);
    }
  }

  async #remove(withVolumes: boolean): Promise<void> {
    const { host, records } = this.#context;
    const { id, rootfs } = this.record;
    const anonymousVolumes = withVolumes ? this.record.anonymousVolumes : [];
    if (!withVolumes) await records.releaseVolumes(id);
    await records.revoke(id);
    this.streams.close();
    await this.jsonLog?.close();
    if (!this.#isClear) await clearRun(id, rootfs.merged, host);
    await host.images.removeRootfs(id);
    await host.volumes.release(id, anonymousVolumes);
    await records.forget(id);
  }

  /** While somebody looks at its files they stay mounted: two mounts of one upper directory would not agree. */
  async #clear(): Promise<void> {
    const { merged } = this.record.rootfs;
    try {
      await clearRun(this.record.id, this.#views.isOpen ? undefined : merged, this.#context.host);
      this.#isClear = true;
    } catch (error) {
      this.#warn(
        "cannot clear away all of a container's run: tried again at the next start",
        error,
      );
    }
  }

  async #afterViews(): Promise<void> {
    await this.#turns.runFirst(async () => {
      if (this.isRunning || this.#views.isOpen) return;
      try {
        await this.#context.host.images.unmountRootfs(this.record.rootfs);
      } catch (error) {
        this.#warn("cannot unmount a container's root file system", error);
      }
    });
  }

  async #note(status: ContainerStatus): Promise<void> {
    this.#status = status;
    try {
      await this.#context.records.saveStatus(this.record.id, status);
    } catch (error) {
      this.#warn("cannot write down what a container became", error);
    }
  }

  #warn(message: string, error: unknown): void {
    const { id } = this.record;
    this.#context.log.warn(message, { container: id, reason: errorMessage(error) });
  }

  #refusal(verb: string, reason: string): ClusterError {
    return new ClusterError(
      "FailedPrecondition",
      `cannot ${verb} container ${this.record.config.name}: ${reason}`,
      { details: { container: this.record.id } },
    );
  }
}
