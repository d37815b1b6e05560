import { MemoryLog } from "../../manager/log/memory-log.ts";
import { describeReplicatedLog, ListState } from "./replicated-log.ts";

describeReplicatedLog("memory", async () => {
  const state = new ListState();
  const log = new MemoryLog(state);
  return { log, state, close: () => log.close() };
});
