import type { Clock } from "../../../core/clock.ts";
import { ClusterError } from "../../../core/errors.ts";
import type { Message } from "../../../raft-ts/types.ts";
import type { MemberTable } from "../members.ts";
import type { Receiver, SnapshotMessage, SnapshotSource, Transport } from "./transport.ts";

/** A snapshot that was not acknowledged by then is lost. */
const SNAPSHOT_TIMEOUT_MS = 5000;

/** Decides the fate of one packet: calls `arrive` when it does, never when it is lost, twice when it is doubled. */
export type Route = (from: number, to: number, arrive: () => void) => void;

/** A network in memory: everything arrives soon and in order, unless `route` decides otherwise. */
export class MemoryNetwork {
  readonly #clock: Clock;
  readonly #route: Route;
  readonly #receivers = new Map<number, Receiver>();
  /** Who takes part, as each member knows. */
  readonly #tables = new Map<number, MemberTable>();

  constructor(clock: Clock, route?: Route) {
    this.#clock = clock;
    this.#route = route ?? ((_from, _to, arrive) => void clock.after(0, arrive));
  }

  /** The transport of one member; a later one of the same id takes its place. */
  transport(raftId: number): Transport {
    let own: Receiver | undefined;
    let isClosed = false;
    const leave = (): void => {
      isClosed = true;
      if (this.#receivers.get(raftId) === own) this.#receivers.delete(raftId);
    };
    return {
      start: (receiver) => {
        own = receiver;
        this.#receivers.set(raftId, receiver);
      },
      setMembers: (table) => {
        this.#tables.set(raftId, table);
      },
      announce: () => {},
      send: (message) => {
        if (!isClosed) this.#send(message);
      },
      sendSnapshot: (message, snapshot) => this.#sendSnapshot(message, snapshot),
      close: async () => leave(),
    };
  }

  /** Messages never change, so both sides may hold the same one. */
  #send(message: Message): void {
    const { from, to } = message;
    this.#route(from, to, () => {
      if (this.#tables.get(to)?.removed.includes(from) === true) this.#expel(from, to);
      else this.#receivers.get(to)?.onMessage(message);
    });
  }

  /** One that was taken out is told so by whoever knows. */
  #expel(raftId: number, by: number): void {
    const reason = `member ${raftId} was taken out of the group`;
    this.#route(by, raftId, () =>
      this.#receivers.get(raftId)?.onExpelled({ generation: 0, reason }),
    );
  }

  async #sendSnapshot(message: SnapshotMessage, snapshot: SnapshotSource): Promise<void> {
    const { from, to } = message;
    const parts: Uint8Array[] = [];
    for await (const part of snapshot.parts()) parts.push(part.slice());
    const source: SnapshotSource = {
      header: snapshot.header,
      async *parts() {
        yield* parts;
      },
    };
    await new Promise<void>((resolve, reject) => {
      const lost = (): void => reject(new ClusterError("Unavailable", "the snapshot was lost"));
      const cancelTimeout = this.#clock.after(SNAPSHOT_TIMEOUT_MS, lost);
      const answer = (): void => {
        cancelTimeout();
        resolve();
      };
      this.#route(from, to, () => {
        const receiver = this.#receivers.get(to);
        if (receiver === undefined) return;
        receiver.onSnapshot(message, source).then(() => this.#route(to, from, answer), lost);
      });
    });
  }
}
