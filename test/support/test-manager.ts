import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../core/log.ts";
import { randomInt } from "../../core/random.ts";
import { systemClock } from "../../core/system-clock.ts";
import { systemRandom } from "../../core/system-random.ts";
import { requestCertificate } from "../../manager/ca/ca-client.ts";
import { NodeCredentials } from "../../manager/ca/credentials.ts";
import { DEFAULT_CLUSTER_SPEC, newSwarm } from "../../manager/genesis.ts";
import { Manager } from "../../manager/manager.ts";
import { joinManagers } from "../../manager/membership/membership-client.ts";
import { NodeAvailability } from "../../proto/gen/objects.ts";
import type { Change } from "../../proto/gen/store.ts";
import { freePort } from "./free-port.ts";

const PARTS = { clock: systemClock, random: systemRandom };

/** A manager on a loopback port, without the daemon around it. */
export interface TestManager {
  readonly manager: Manager;
  readonly credentials: NodeCredentials;
  readonly nodeId: string;
  readonly addr: string;
  readonly raftId: number;
  /** Closes it and removes its disk. */
  stop(): Promise<void>;
}

/** The first manager of a new swarm. */
export async function initSwarm(): Promise<TestManager> {
  const availability = NodeAvailability.ACTIVE;
  const networks = { defaultAddressPools: ["10.0.0.0/8"], subnetSize: 24, dataPathPort: 4789 };
  const genesis = await newSwarm({ spec: DEFAULT_CLUSTER_SPEC, availability, ...networks }, PARTS);
  return open(new NodeCredentials(genesis.certificate), "bootstrap", genesis.changes);
}

/** Another manager, joined by token through the one at `addr`. */
export async function joinSwarm(addr: string, token: string): Promise<TestManager> {
  const availability = NodeAvailability.ACTIVE;
  const credentials = new NodeCredentials(await requestCertificate({ addr, token, availability }));
  return becomeManager(addr, credentials);
}

/** The manager part of a node that has a manager's certificate. */
export async function becomeManager(
  addr: string,
  credentials: NodeCredentials,
): Promise<TestManager> {
  const started = await open(credentials, "join");
  await joinManagers([addr], credentials, {
    raftId: started.raftId,
    addr: started.addr,
    generation: 0,
  });
  return started;
}

async function open(
  credentials: NodeCredentials,
  start: "bootstrap" | "join",
  genesis?: readonly Change[],
): Promise<TestManager> {
  const dir = await mkdtemp(join(tmpdir(), "muster-manager-"));
  const addr = `127.0.0.1:${await freePort()}`;
  const raftId = 1 + randomInt(systemRandom, 2 ** 40);
  const manager = await Manager.open({
    credentials,
    dir,
    raftId,
    listenAddr: addr,
    advertiseAddr: addr,
    start,
    ...(genesis === undefined ? {} : { genesis }),
    ...PARTS,
    log: silentLog,
    onFatal: (error) => {
      throw error;
    },
  });
  const stop = async () => {
    await manager.close();
    await rm(dir, { recursive: true, force: true });
  };
  return { manager, credentials, nodeId: credentials.identity.nodeId, addr, raftId, stop };
}
