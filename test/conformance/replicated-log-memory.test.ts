import { MemoryLog } from "../../manager/log/memory-log.ts";
import { ListState } from "../support/raft/list-state.ts";
import { describeReplicatedLog } from "./replicated-log.ts";

describeReplicatedLog("memory", async () => {
  const state = new ListState();
  const log = new MemoryLog(state);
  return { log, state, close: () => log.close() };
});
