import { ClusterError } from "../../core/errors.ts";
import type { DispatcherServer, WorkerMessage } from "../../proto/gen/dispatcher.ts";
import { rpcError } from "../../proto/rpc-status.ts";
import type { LogBroker } from "../logs/log-broker.ts";
import { MESSAGE_RATE, SLOWED_MS } from "../rpc/limits.ts";
import { RateLimiter } from "../rpc/rate-limiter.ts";
import { RefusalLog } from "../rpc/refusal-log.ts";
import { GrpcChannel, type SessionCall } from "./grpc-channel.ts";
import { DispatcherLoop, type DispatcherLoopDeps } from "./loop.ts";
import type { Said } from "./node-session.ts";

/** Who is at the other end of a call, by its certificate; `getPeer` of manager/ca. */
export type PeerOf = (call: SessionCall) => { readonly nodeId: string };

export interface DispatcherOptions extends Omit<DispatcherLoopDeps, "onPresence" | "refusals"> {
  readonly logs: LogBroker;
  readonly peerOf: PeerOf;
  /** host:port of the leader, as far as this manager knows. */
  readonly leaderAddr: () => string | undefined;
}

/**
 * The managers' end of the workers' sessions.
 *
 * Its handlers are always served; between `lead` and `resign` they take workers in, otherwise they send them to the leader.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #refusals: RefusalLog;
  readonly #messages = new RateLimiter(MESSAGE_RATE);
  #loop: DispatcherLoop | undefined;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#refusals = new RefusalLog(options.log, options.clock);
  }

  /** For `server.addService(DispatcherService, …)`. */
  get handlers(): DispatcherServer {
    const { logs, peerOf } = this.#options;
    return {
      session: (call) => this.#onSession(call),
      publishLogs: (call, callback) => {
        logs.receive(peerOf(call as unknown as SessionCall).nodeId, call, callback);
      },
    };
  }

  /** This manager leads from now on. Every node known to be up gets the grace to find it. */
  lead(): void {
    if (this.#loop !== undefined) return;
    const { logs } = this.#options;
    const loop = new DispatcherLoop({
      ...this.#options,
      refusals: this.#refusals,
      onPresence: (nodeId, present) => logs.onPresence(nodeId, present),
    });
    this.#loop = loop;
    logs.lead((nodeId, message) => loop.tell(nodeId, message));
  }

  /** Says something to a node beside its assignments. @returns whether it is in session. */
  tell(nodeId: string, message: Said): boolean {
    return this.#loop?.tell(nodeId, message) === true;
  }

  isInSession(nodeId: string): boolean {
    return this.#loop?.isInSession(nodeId) === true;
  }

  /** It leads no more: sessions end and workers are sent on. Idempotent. */
  resign(): void {
    this.#loop?.close(this.#notLeader());
    this.#loop = undefined;
    this.#options.logs.resign();
  }

  #onSession(call: SessionCall): void {
    const loop = this.#loop;
    if (loop === undefined) {
      call.emit("error", rpcError(this.#notLeader()));
      return;
    }
    const channel: GrpcChannel = new GrpcChannel(call, this.#options.peerOf(call), () =>
      loop.drained(channel),
    );
    let open = false;
    call.on("data", (message: WorkerMessage) => {
      this.#maybeSlowDown(call, channel);
      try {
        if (open) receive(loop, channel, message);
        else greet(loop, channel, message);
        open = true;
      } catch (error) {
        if (!(error instanceof ClusterError)) throw error;
        this.#noteRefusal(error, call, channel);
        channel.end(error);
      }
    });
    // The reason is the network's or the worker's; either way it is the same to us.
    call.on("error", () => loop.broken(channel));
    call.on("cancelled", () => loop.broken(channel));
    call.on("close", () => loop.broken(channel));
    call.on("end", () => {
      loop.broken(channel);
      call.end();
    });
  }

  /** Whoever says more than a worker has to say waits, not the others. */
  #maybeSlowDown(call: SessionCall, { nodeId }: GrpcChannel): void {
    const { clock } = this.#options;
    if (this.#messages.take(nodeId, clock.monotonicMs()) === 0 || call.isPaused()) return;
    this.#refusals.warn("a node says too much in its session: it is heard more slowly", {
      peer: call.getPeer(),
      nodeId,
    });
    call.pause();
    clock.after(SLOWED_MS, () => call.resume());
  }

  /** What the worker is not to blame for is no refusal. */
  #noteRefusal({ code, message }: ClusterError, call: SessionCall, { nodeId }: GrpcChannel): void {
    if (code === "Unavailable") return;
    this.#refusals.warn(message, { peer: call.getPeer(), nodeId });
  }

  #notLeader(): ClusterError {
    const leader = this.#options.leaderAddr();
    return new ClusterError(
      "Unavailable",
      leader === undefined
        ? "cannot open a session: no leader is known yet"
        : `cannot open a session: not the leader; ask ${leader}`,
      leader === undefined ? {} : { details: { leader } },
    );
  }
}

function greet(loop: DispatcherLoop, channel: GrpcChannel, { kind }: WorkerMessage): void {
  if (kind?.$case !== "hello") {
    throw new ClusterError(
      "InvalidArgument",
      "cannot open a session: its first message is no Hello",
    );
  }
  loop.open(channel, kind.value);
}

function receive(loop: DispatcherLoop, channel: GrpcChannel, { kind }: WorkerMessage): void {
  // A kind this version does not know is a newer worker's: it is passed over.
  if (kind !== undefined) loop.receive(channel, kind);
}
