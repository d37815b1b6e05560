import { Server, ServerCredentials } from "@grpc/grpc-js";
import { silentLog } from "../../../core/log.ts";
import { seededRandom } from "../../../core/random.ts";
import { systemClock } from "../../../core/system-clock.ts";
import { Dispatcher } from "../../../manager/dispatcher/dispatcher.ts";
import { MemoryLog } from "../../../manager/log/memory-log.ts";
import { LogBroker } from "../../../manager/logs/log-broker.ts";
import { Proposer } from "../../../manager/store/proposer.ts";
import { Store } from "../../../manager/store/store.ts";
import { DispatcherService } from "../../../proto/gen/dispatcher.ts";
import type { Change } from "../../../proto/gen/store.ts";

/** The state two test managers share, as if a log had brought it to both. */
export class SharedState {
  readonly store = new Store();
  readonly proposer = new Proposer(new MemoryLog(this.store), systemClock);

  async write(...changes: readonly Change[]): Promise<void> {
    await this.proposer.propose(changes);
  }
}

/** A dispatcher on a loopback port without certificates: a node is who its user agent says. */
export class TestManager {
  readonly dispatcher: Dispatcher;
  readonly logs: LogBroker;
  readonly addr: string;
  readonly #server: Server;

  static async open(
    state: SharedState,
    options: { readonly nodeId: string; readonly leaderAddr?: () => string | undefined },
  ): Promise<TestManager> {
    const server = new Server();
    const random = seededRandom(1);
    const logs = new LogBroker({ store: state.store, clock: systemClock, random });
    const dispatcher = new Dispatcher({
      nodeId: options.nodeId,
      store: state.store,
      proposer: state.proposer,
      logs,
      clock: systemClock,
      random,
      log: silentLog,
      leaderAddr: options.leaderAddr ?? (() => undefined),
      peerOf: (call) => ({
        nodeId: String(call.metadata.get("user-agent")[0]).split(" ")[0] ?? "",
      }),
    });
    server.addService(DispatcherService, dispatcher.handlers);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    return new TestManager(server, port, { dispatcher, logs });
  }

  private constructor(
    server: Server,
    port: number,
    parts: { readonly dispatcher: Dispatcher; readonly logs: LogBroker },
  ) {
    this.#server = server;
    this.addr = `127.0.0.1:${port}`;
    this.dispatcher = parts.dispatcher;
    this.logs = parts.logs;
  }

  /** As if its process were killed: connections break, nothing is said. */
  kill(): void {
    this.#server.forceShutdown();
    this.dispatcher.resign();
  }
}
