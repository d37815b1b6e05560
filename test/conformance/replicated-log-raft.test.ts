import { ListState } from "../support/raft/list-state.ts";
import { MemoryCluster, memberOf, untilLeads } from "../support/raft/memory-cluster.ts";
import { describeLogGroup } from "./log-group.ts";
import { describeReplicatedLog } from "./replicated-log.ts";

describeReplicatedLog("raft, one member", async () => {
  const cluster = await MemoryCluster.make();
  const state = new ListState();
  const log = await cluster.open(1, state);
  return { log, state, close: () => cluster.close() };
});

describeReplicatedLog("raft, three members", async () => {
  const cluster = await MemoryCluster.make();
  const state = new ListState();
  const log = await cluster.open(1, state);
  await untilLeads(log);
  for (const raftId of [2, 3]) {
    await cluster.open(raftId, new ListState());
    await log.addMember(memberOf(raftId));
  }
  return { log, state, close: () => cluster.close() };
});

describeLogGroup("raft", () => MemoryCluster.make());
