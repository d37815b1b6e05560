import { ClusterError } from "../../core/errors.ts";
import type { PeerStatus, Status } from "../../raft-ts/types.ts";
import { encodeMember } from "./applied-state.ts";
import { checkAddition, checkQuorumWithout, checkRemoval, findMember } from "./members.ts";
import { logClosed, lostLeadership, notLeader } from "./proposal-errors.ts";
import { ELECTION_TICKS, type RaftDriver } from "./raft-driver.ts";
import type { Member } from "./replicated-log.ts";

/** A learner this close to the leader's commit becomes a voter: it then slows no commit down. */
const CATCH_UP_ENTRIES = 64;
/** How long a learner may take: a snapshot of everything over a slow link. */
const CATCH_UP_TICKS = 600;
/** Raft itself gives a transfer up after one election timeout. */
const TRANSFER_TICKS = 2 * ELECTION_TICKS;

/** Changes of who takes part, one after another, as the leader carries them out. */
export class Membership {
  readonly #driver: RaftDriver;
  readonly #selfId: number;
  #last: Promise<void> = Promise.resolve();

  constructor(driver: RaftDriver, selfId: number) {
    this.#driver = driver;
    this.#selfId = selfId;
  }

  add(member: Member): Promise<void> {
    return this.#inTurn(() => this.#add(member));
  }

  remove(raftId: number, options: { readonly force?: boolean } = {}): Promise<void> {
    return this.#inTurn(() => this.#remove(raftId, options.force === true));
  }

  /** Writes down where a member is now; nothing to do when that is known. */
  relocate(member: Member): Promise<void> {
    return this.#inTurn(() => this.#relocate(member));
  }

  async transfer(): Promise<void> {
    this.#mustLead("hand over leadership");
    const heir = bestHeir(this.#driver.status(), this.#driver.reachable());
    if (heir === undefined) {
      throw new ClusterError(
        "FailedPrecondition",
        "cannot hand over leadership: no other manager answers",
      );
    }
    await this.#driver.requests.transfer(heir.raftId);
    const isOver = (): boolean => !this.#driver.leadership.current.isLeader;
    await this.#driver.waitUntil(isOver, TRANSFER_TICKS);
    if (isOver()) return;
    const nodeId = findMember(this.#driver.applied.members, heir.raftId)?.nodeId;
    throw new ClusterError(
      "DeadlineExceeded",
      `cannot hand over leadership: manager ${nodeId} did not take it in time; try again`,
    );
  }

  async #add(member: Member): Promise<void> {
    this.#mustLead("add a manager");
    // A new leader takes no change before it has applied all that earlier ones may have begun.
    await this.#driver.requests.read();
    const { raftId, nodeId } = member;
    const { members } = this.#driver.applied;
    const known = findMember(members, raftId);
    const isGoingOn = known?.learner === true && known.nodeId === nodeId;
    if (!isGoingOn) checkAddition(members, member);
    const context = encodeMember(member);
    if (!isGoingOn) {
      await this.#driver.requests.change({ kind: "addLearner", raftId, context });
    }
    if (!(await this.#catchesUp(raftId))) {
      await this.#driver.requests.change({ kind: "remove", raftId, context: new Uint8Array(0) });
      throw new ClusterError(
        "DeadlineExceeded",
        `cannot add manager ${nodeId}: nothing at ${member.addr} took the cluster's state in time; check that this ` +
          "address can be reached from the leader, and join again",
        { details: { raftId, addr: member.addr } },
      );
    }
    await this.#driver.requests.change({ kind: "addVoter", raftId, context });
  }

  async #relocate(member: Member): Promise<void> {
    this.#mustLead("write down a manager's address");
    await this.#driver.requests.read();
    const { raftId, nodeId, addr } = member;
    const known = findMember(this.#driver.applied.members, raftId);
    if (known === undefined || known.nodeId !== nodeId || known.addr === addr) return;
    await this.#driver.requests.change({ kind: "update", raftId, context: encodeMember(member) });
  }

  async #catchesUp(raftId: number): Promise<boolean> {
    const { leadership } = this.#driver;
    const { term } = leadership.current;
    const isLost = (): boolean => !leadership.current.isLeader || leadership.current.term !== term;
    const done = (): boolean => isLost() || hasCaughtUp(this.#driver.status(), raftId);
    const held = await this.#driver.waitUntil(done, CATCH_UP_TICKS);
    if (this.#driver.isStopped) throw logClosed("add a manager");
    if (isLost()) throw lostLeadership("adding the manager");
    return held;
  }

  async #remove(raftId: number, force: boolean): Promise<void> {
    this.#mustLead("remove a manager");
    await this.#driver.requests.read();
    const { members } = this.#driver.applied;
    checkRemoval(members, raftId);
    if (!force) checkQuorumWithout("remove", members, raftId, this.#driver.reachable());
    if (raftId === this.#selfId) {
      await this.transfer();
      // So that the caller is told where to ask.
      const isFollowing = (): boolean => this.#driver.leadership.current.leaderRaftId !== undefined;
      await this.#driver.waitUntil(isFollowing, TRANSFER_TICKS);
      this.#mustLead("remove this manager itself");
    }
    await this.#driver.requests.change({ kind: "remove", raftId, context: new Uint8Array(0) });
  }

  #mustLead(action: string): void {
    if (this.#driver.isStopped) throw logClosed(action);
    const { isLeader, leaderRaftId } = this.#driver.leadership.current;
    if (isLeader) return;
    throw notLeader(action, findMember(this.#driver.applied.members, leaderRaftId ?? 0));
  }

  /** Raft takes one change at a time; callers need not know. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const mine = this.#last.then(change);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}

function hasCaughtUp(status: Status, raftId: number): boolean {
  const peer = status.peers.find((other) => other.raftId === raftId);
  return peer !== undefined && peer.match > 0 && peer.match + CATCH_UP_ENTRIES >= status.commit;
}

/** The voter that has most of the log. */
function bestHeir(status: Status, reachable: ReadonlySet<number>): PeerStatus | undefined {
  return status.peers
    .filter(({ raftId, isLearner }) => raftId !== status.id && !isLearner && reachable.has(raftId))
    .sort((a, b) => b.match - a.match)[0];
}
