import { type EtcdCluster, startEtcdCluster } from "../support/etcd.ts";
import { EtcdLogs } from "../support/etcd-logs.ts";
import { ListState } from "../support/raft/list-state.ts";
import { memberOf, untilLeads } from "../support/raft/memory-cluster.ts";
import { describeReplicatedLog } from "./replicated-log.ts";

describe("against a real etcd", () => {
  let etcd: EtcdCluster;
  before(async function () {
    this.timeout(60_000);
    etcd = await startEtcdCluster(1);
  });
  after(async () => etcd?.close());

  describeReplicatedLog("etcd, one member", async () => {
    const logs = new EtcdLogs(etcd.urls);
    const state = new ListState();
    const log = await logs.open(1, state);
    return { log, state, close: () => logs.close() };
  });

  describeReplicatedLog("etcd, three members", async () => {
    const logs = new EtcdLogs(etcd.urls);
    const state = new ListState();
    const log = await logs.open(1, state);
    await untilLeads(log);
    for (const raftId of [2, 3]) {
      await logs.open(raftId, new ListState());
      await log.addMember(memberOf(raftId));
    }
    return { log, state, close: () => logs.close() };
  });
});
