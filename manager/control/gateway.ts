import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import type { ReplicatedLog } from "../log/replicated-log.ts";
import type { Control } from "./control.ts";

/** How long a request waits for a leader to be found: an election takes up to two seconds, and may need a second try. */
export const LEADER_WAIT_MS = 8_000;
/** Who leads may be known wrongly for a moment without our hearing of it: look again this often. */
const RETRY_MS = 200;

/** What the gateway finds the leader with. */
export interface GatewayParts {
  /** Carries out what is asked while this manager leads. */
  readonly local: Control;
  readonly replicatedLog: Pick<ReplicatedLog, "leadership" | "onLeadership" | "members">;
  /**
   * A way to the manager at `addr`, connected.
   *
   * @throws {ClusterError} `Unavailable` when it cannot be reached: nothing was asked of it then.
   */
  readonly connect: (manager: { nodeId: string; addr: string }) => Promise<Control>;
  readonly clock: Clock;
}

/**
 * Control from any manager: whatever is asked goes to the leader. While there is none it waits, and asks again as long
 * as nothing can have happened yet.
 */
export function controlGateway(parts: GatewayParts): Control {
  const read = <T>(what: (leader: Control) => Promise<T>) => askLeader(parts, what, isUnavailable);
  const change = <T>(what: (leader: Control) => Promise<T>) => askLeader(parts, what, isUndone);
  return {
    createService: (spec) => change((leader) => leader.createService(spec)),
    getService: (ref) => read((leader) => leader.getService(ref)),
    listServices: (filters) => read((leader) => leader.listServices(filters)),
    updateService: (update) => change((leader) => leader.updateService(update)),
    removeService: (ref) => change((leader) => leader.removeService(ref)),
    serviceLogs: (target, options, signal) =>
      streamFromLeader(parts, (leader) => leader.serviceLogs(target, options, signal)),
    getTask: (ref) => read((leader) => leader.getTask(ref)),
    listTasks: (filters) => read((leader) => leader.listTasks(filters)),
    getNode: (ref) => read((leader) => leader.getNode(ref)),
    listNodes: (filters) => read((leader) => leader.listNodes(filters)),
    updateNode: (ref, version, spec, force) =>
      change((leader) => leader.updateNode(ref, version, spec, force)),
    removeNode: (ref, force) => change((leader) => leader.removeNode(ref, force)),
    approveNode: (ref) => change((leader) => leader.approveNode(ref)),
    createNetwork: (spec) => change((leader) => leader.createNetwork(spec)),
    getNetwork: (ref) => read((leader) => leader.getNetwork(ref)),
    listNetworks: (filters) => read((leader) => leader.listNetworks(filters)),
    removeNetwork: (ref) => change((leader) => leader.removeNetwork(ref)),
    createConfig: (spec, data) => change((leader) => leader.createConfig(spec, data)),
    getConfig: (ref) => read((leader) => leader.getConfig(ref)),
    listConfigs: (filters) => streamFromLeader(parts, (leader) => leader.listConfigs(filters)),
    updateConfig: (update) => change((leader) => leader.updateConfig(update)),
    removeConfig: (ref) => change((leader) => leader.removeConfig(ref)),
    createSecret: (spec, data) => change((leader) => leader.createSecret(spec, data)),
    getSecret: (ref) => read((leader) => leader.getSecret(ref)),
    listSecrets: (filters) => read((leader) => leader.listSecrets(filters)),
    updateSecret: (update) => change((leader) => leader.updateSecret(update)),
    removeSecret: (ref) => change((leader) => leader.removeSecret(ref)),
    backup: () => streamFromLeader(parts, (leader) => leader.backup()),
    getCluster: () => read((leader) => leader.getCluster()),
    getUnlockKey: () => read((leader) => leader.getUnlockKey()),
    updateCluster: (update) => change((leader) => leader.updateCluster(update)),
  };
}

async function askLeader<T>(
  parts: GatewayParts,
  what: (leader: Control) => Promise<T>,
  mayAskAgain: (error: unknown) => boolean,
): Promise<T> {
  const deadlineMs = parts.clock.monotonicMs() + LEADER_WAIT_MS;
  for (;;) {
    try {
      return await what(await findLeader(parts));
    } catch (error) {
      if (!mayAskAgain(error)) throw error;
      if (parts.clock.monotonicMs() >= deadlineMs) throw noLeader(error);
    }
    await leadershipMoves(parts);
  }
}

async function* streamFromLeader<T>(
  parts: GatewayParts,
  what: (leader: Control) => AsyncIterable<T>,
): AsyncIterable<T> {
  yield* what(await askLeader(parts, async (leader) => leader, isUnavailable));
}

async function findLeader({ local, replicatedLog, connect }: GatewayParts): Promise<Control> {
  const { isLeader, leaderRaftId } = replicatedLog.leadership();
  if (isLeader) return local;
  const leader = replicatedLog.members().find(({ raftId }) => raftId === leaderRaftId);
  if (leader !== undefined) return connect(leader);
  throw new ClusterError("Unavailable", "no manager leads at the moment");
}

function isUnavailable(error: unknown): boolean {
  return error instanceof ClusterError && error.code === "Unavailable";
}

/** Whether it is sure that nothing happened: a change that may have been made is not asked for twice. */
function isUndone(error: unknown): boolean {
  if (!(error instanceof ClusterError) || error.code !== "Unavailable") return false;
  return error.details.outcomeUnknown !== true && error.details.unanswered !== true;
}

/** Text as Docker's: its clients show it. */
function noLeader(cause: unknown): ClusterError {
  return new ClusterError(
    "Unavailable",
    "The swarm does not have a leader. It's possible that too few managers are online. Make sure more than half of the managers are online.",
    { cause },
  );
}

async function leadershipMoves({ replicatedLog, clock }: GatewayParts): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = replicatedLog.onLeadership(() => done());
    const cancel = clock.after(RETRY_MS, () => done());
    const done = () => {
      end();
      cancel();
      resolve();
    };
  });
}
