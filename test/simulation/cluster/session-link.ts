import { EventEmitter } from "node:events";
import { ClusterError } from "../../../core/errors.ts";
import type { SessionCall } from "../../../manager/dispatcher/grpc-channel.ts";
import type { Leader } from "../../../manager/leader.ts";
import { ManagerMessage, WorkerMessage } from "../../../proto/gen/dispatcher.ts";
import { fromRpcError } from "../../../proto/rpc-status.ts";
import type { Dial, LogClient, Wire, WireEvents } from "../../../worker/session/wire.ts";
import type { SimNetwork } from "../raft/sim-network.ts";
import type { VirtualTime } from "../raft/virtual-time.ts";
import { Pipe } from "./pipe.ts";
import type { SimHost } from "./sim-host.ts";

/** What connections run over, and where they lead. */
export interface Switchboard {
  readonly time: VirtualTime;
  readonly network: SimNetwork;
  /** Whoever listens at an address. */
  find(addr: string): Listener | undefined;
}

/** A machine that may have a manager's port open. */
export interface Listener {
  readonly host: SimHost;
  /** Of the manager there is now. */
  readonly leader: Leader | undefined;
}

/** How the daemon of a node turns to managers, in place of gRPC. */
export function simDial(
  board: Switchboard,
  self: { readonly host: SimHost; readonly identity: object },
): Dial {
  return (addr, events) => new SessionLink(board, self, { addr, events });
}

/** A session's connection: the worker's Wire at one end, the dispatcher's call at the other. */
class SessionLink implements Wire {
  readonly logs = NO_LOGS;
  readonly #board: Switchboard;
  readonly #self: { readonly host: SimHost; readonly identity: object };
  readonly #events: WireEvents;
  readonly #listener: Listener | undefined;
  readonly #there: Pipe;
  readonly #back: Pipe;
  readonly #runHere: (fn: () => void) => void;
  #runThere: (fn: () => void) => void = () => undefined;
  #call: SimCall | undefined;
  #isOver = false;

  constructor(
    board: Switchboard,
    self: { readonly host: SimHost; readonly identity: object },
    to: { readonly addr: string; readonly events: WireEvents },
  ) {
    this.#board = board;
    this.#self = self;
    this.#events = to.events;
    this.#runHere = self.host.daemon();
    this.#listener = board.find(to.addr);
    const number = this.#listener?.host.number ?? 0;
    this.#there = new Pipe(board, self.host.number, number);
    this.#back = new Pipe(board, number, self.host.number);
    this.#there.send(() => this.#open());
    // A daemon that crashed says nothing any more, but its machine's kernel does.
    this.#watch(self.host, () => this.#there.send(() => this.#brokenThere()));
  }

  send(message: Parameters<Wire["send"]>[0]): void {
    const bytes = WorkerMessage.encode({ kind: message }).finish();
    this.#there.send(() =>
      this.#runThere(() => this.#call?.emit("data", WorkerMessage.decode(bytes))),
    );
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#back.close();
    this.#there.send(() => this.#brokenThere());
  }

  #open(): void {
    const { host, leader } = this.#listener ?? {};
    if (host?.isUp !== true || leader === undefined) {
      if (host?.isPowered === true) this.#end(unanswered("connection refused"));
      return;
    }
    this.#runThere = host.daemon();
    const call = new SimCall(this.#self, (event) => this.#sayBack(event));
    this.#call = call;
    this.#watch(host, () => this.#end(unanswered("connection reset")));
    this.#runThere(() => leader.dispatcher.handlers.session(call as unknown as SessionCall));
  }

  #sayBack(event: CallEvent): void {
    if (event.kind === "end") {
      this.#end(event.reason);
      return;
    }
    const bytes = ManagerMessage.encode(event.message).finish();
    this.#back.send(() =>
      this.#runHere(() => {
        if (!this.#isOver) this.#events.onMessage(ManagerMessage.decode(bytes));
      }),
    );
  }

  #end(reason: ClusterError): void {
    this.#back.send(() =>
      this.#runHere(() => {
        if (this.#isOver) return;
        this.#isOver = true;
        this.#there.close();
        this.#events.onEnd(reason);
      }),
    );
  }

  #brokenThere(): void {
    const call = this.#call;
    this.#call = undefined;
    if (call !== undefined) this.#runThere(() => call.emit("cancelled"));
  }

  /** Calls `onGone` once the daemon there is now has gone while its machine answers; looks now and then. */
  #watch(host: SimHost, onGone: () => void): void {
    const isAlive = host.aliveness();
    const look = (): void => {
      if (this.#isOver) return;
      if (!isAlive() && host.isPowered) onGone();
      else this.#board.time.after(RESET_LOOK_MS, look);
    };
    this.#board.time.after(RESET_LOOK_MS, look);
  }
}

/** How often it is looked whether the other side is gone. */
const RESET_LOOK_MS = 100;

type CallEvent =
  | { readonly kind: "message"; readonly message: ManagerMessage }
  | { readonly kind: "end"; readonly reason: ClusterError };

/** As much of a gRPC call as the dispatcher uses. */
class SimCall extends EventEmitter {
  readonly #from: { readonly host: SimHost; readonly identity: object };
  readonly #say: (event: CallEvent) => void;

  constructor(
    from: { readonly host: SimHost; readonly identity: object },
    say: (event: CallEvent) => void,
  ) {
    super();
    this.#from = from;
    this.#say = say;
    this.on("error", (error: unknown) => say({ kind: "end", reason: fromRpcError(error) }));
  }

  write(message: ManagerMessage): boolean {
    this.#say({ kind: "message", message });
    return true;
  }

  end(): void {
    this.#say({ kind: "end", reason: unanswered("the manager ended it") });
  }

  getPeer(): string {
    return `10.0.0.${this.#from.host.number}:40000`;
  }

  getAuthContext(): object {
    return { sslPeerCertificate: { subject: this.#from.identity } };
  }
}

function unanswered(why: string): ClusterError {
  return new ClusterError("Unavailable", why, { details: { unanswered: true } });
}

/** Nobody asks for logs here. */
const NO_LOGS: LogClient = {
  publishLogs: () => {
    throw new ClusterError("Unimplemented", "the simulation has no logs");
  },
};
