/**
 * One manager of the bench, a process of its own: a manager whole, without the daemon and its worker around it.
 * Arguments: none for the first, else address and token to join by. Speaks ManagerNews over IPC; ends with its parent.
 */

import type { NodeCertificate } from "../../../manager/ca/node-certificate.ts";
import { initSwarm, joinSwarm } from "../../support/test-manager.ts";

/** What a manager tells its parent: once it runs, and at each change of leadership. */
export interface ManagerNews {
  readonly addr: string;
  readonly isLeader: boolean;
  /** Voters it knows. */
  readonly voters: number;
  readonly certificate: NodeCertificate;
  readonly managerToken: string;
}

const [addr, token] = process.argv.slice(2);
const started =
  addr === undefined || token === undefined ? await initSwarm() : await joinSwarm(addr, token);
const { manager } = started;

function tell(): void {
  const news: ManagerNews = {
    addr: started.addr,
    isLeader: manager.replicatedLog.leadership().isLeader,
    voters: manager.replicatedLog.members().filter(({ learner }) => learner !== true).length,
    certificate: started.credentials.certificate,
    managerToken: manager.store.view().cluster?.rootCa?.managerToken ?? "",
  };
  if (process.connected) process.send?.(news);
}

manager.replicatedLog.onLeadership(tell);
process.on("message", tell);
process.on("disconnect", () => {
  void started.stop().then(() => process.exit(0));
});
tell();
