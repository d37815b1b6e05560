import { randomUUID } from "node:crypto";
import { silentLog } from "../../core/log.ts";
import { systemClock } from "../../core/system-clock.ts";
import { type EtcdLogOptions, openEtcdLog } from "../../manager/log/etcd/etcd-log.ts";
import { Etcd3Kv } from "../../manager/log/etcd/etcd3-kv.ts";
import type { ReplicatedLog, StateMachine } from "../../manager/log/replicated-log.ts";
import { memberOf } from "./raft/memory-cluster.ts";

/** Members of one log in an etcd that runs, all in this process. */
export class EtcdLogs {
  readonly clusterId = randomUUID();
  readonly #urls: readonly string[];
  readonly #logs: ReplicatedLog[] = [];

  constructor(urls: readonly string[]) {
    this.#urls = urls;
  }

  /** Opens the log of one member, the first one of a new log if it is number 1. */
  async open(
    raftId: number,
    stateMachine: StateMachine,
    options: Partial<EtcdLogOptions> = {},
  ): Promise<ReplicatedLog> {
    const log = await openEtcdLog({
      ...memberOf(raftId),
      kv: new Etcd3Kv({ endpoints: this.#urls }),
      prefix: "/muster",
      clusterId: this.clusterId,
      start: raftId === 1 ? "bootstrap" : "join",
      stateMachine,
      clock: systemClock,
      log: silentLog,
      onFatal: (error) => {
        throw error;
      },
      ...options,
    });
    this.#logs.push(log);
    return log;
  }

  async close(): Promise<void> {
    await Promise.all(this.#logs.map((log) => log.close()));
  }
}
