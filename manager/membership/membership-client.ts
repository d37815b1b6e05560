import { MembershipClient } from "../../proto/gen/membership.ts";
import { MANAGER_CHANNEL_OPTIONS, type NodeCredentials } from "../ca/credentials.ts";
import { askLeader } from "../rpc/ask-leader.ts";
import { callUnary } from "../rpc/calls.ts";

/** A new manager takes the whole state first; the leader gives it a minute. */
export const JOIN_TIMEOUT_MS = 75_000;
/** How long to wait for a leader to be elected. */
const PATIENCE_MS = 8_000;

/**
 * Has this manager taken into the managers' group; resolves when it is a voter. May be repeated.
 *
 * @throws {ClusterError} `FailedPrecondition` when the group will not have it, `Unavailable` without a leader.
 */
export async function joinManagers(
  managers: readonly string[],
  credentials: NodeCredentials,
  own: { readonly raftId: number; readonly addr: string; readonly generation: number },
): Promise<void> {
  await askLeader(searchBy(managers, credentials, PATIENCE_MS), (client) =>
    callUnary(client.joinManagers.bind(client), own, { timeoutMs: JOIN_TIMEOUT_MS }),
  );
}

/**
 * Tells the managers that this node goes for good.
 *
 * @throws {ClusterError} `FailedPrecondition` when it is the last manager, `Unavailable` without a leader.
 */
export async function leaveSwarm(
  managers: readonly string[],
  credentials: NodeCredentials,
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<void> {
  await askLeader(searchBy(managers, credentials, timeoutMs), (client) =>
    callUnary(client.leave.bind(client), {}, { timeoutMs }),
  );
}

function searchBy(addrs: readonly string[], credentials: NodeCredentials, patienceMs: number) {
  const dial = (addr: string) =>
    new MembershipClient(addr, credentials.toManager(), MANAGER_CHANNEL_OPTIONS);
  return { addrs, dial, patienceMs };
}
