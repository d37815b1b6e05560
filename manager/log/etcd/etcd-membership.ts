import { ClusterError } from "../../../core/errors.ts";
import { RaftMember } from "../../../proto/gen/raft.ts";
import { checkAddition, checkRemoval, findMember } from "../members.ts";
import { lostLeadership } from "../proposal-errors.ts";
import type { Member } from "../replicated-log.ts";
import type { EtcdDriver } from "./etcd-driver.ts";
import type { Keys } from "./keys.ts";
import type { MetaView } from "./meta-view.ts";

/** How long a newcomer may take to read the log. */
const CATCH_UP_MS = 60_000;
/** How long leadership may take to be seen elsewhere. */
const TRANSFER_MS = 5_000;

/** Changes of who takes part, one after another, as the leader carries them out. */
export class EtcdMembership {
  readonly #driver: EtcdDriver;
  readonly #own: { readonly keys: Keys; readonly view: MetaView; readonly raftId: number };
  #last: Promise<void> = Promise.resolve();

  constructor(
    driver: EtcdDriver,
    own: { readonly keys: Keys; readonly view: MetaView; readonly raftId: number },
  ) {
    this.#driver = driver;
    this.#own = own;
  }

  add(member: Member): Promise<void> {
    return this.#inTurn(() => this.#add(member));
  }

  remove(raftId: number): Promise<void> {
    return this.#inTurn(() => this.#remove(raftId));
  }

  async transfer(): Promise<void> {
    this.#driver.mustLead("hand over leadership");
    await this.#driver.look();
    const { view, raftId: own } = this.#own;
    const hasHeir = () => view.meta.candidates.some(({ raftId }) => raftId !== own);
    // Whoever is there and may vote is a candidate soon.
    const mayHave = view.meta.members.members.some(
      ({ raftId, learner }) => raftId !== own && learner !== true && view.meta.present.has(raftId),
    );
    if (mayHave) await this.#driver.waitUntil(hasHeir, TRANSFER_MS);
    if (!hasHeir()) {
      throw new ClusterError(
        "FailedPrecondition",
        "cannot hand over leadership: no other manager answers",
      );
    }
    await this.#driver.handOver();
    const { leadership } = this.#driver;
    await this.#driver.waitUntil(
      () => !leadership.current.isLeader && leadership.current.leaderRaftId !== undefined,
      TRANSFER_MS,
    );
  }

  async #add(member: Member): Promise<void> {
    const term = this.#driver.mustLead("add a manager");
    await this.#driver.look();
    const { keys, view } = this.#own;
    const { members } = view.meta;
    const { raftId, nodeId, addr } = member;
    const known = findMember(members, raftId);
    const isGoingOn = known?.learner === true && known.nodeId === nodeId;
    if (!isGoingOn) checkAddition(members, member);
    const put = (learner: boolean) => {
      const value = RaftMember.encode({ raftId, nodeId, addr, learner }).finish();
      return this.#driver.fenced("add a manager", [{ put: keys.member(raftId), value }]);
    };
    await put(true);
    const { leadership } = this.#driver;
    const isLost = () => !leadership.current.isLeader || leadership.current.term !== term;
    const isThere = () => view.meta.present.get(raftId) === nodeId;
    await this.#driver.waitUntil(() => isLost() || isThere(), CATCH_UP_MS);
    if (isLost()) throw lostLeadership("adding the manager");
    if (isThere()) return put(false);
    await this.#driver.fenced("add a manager", [{ remove: keys.member(raftId) }]);
    throw new ClusterError(
      "DeadlineExceeded",
      `cannot add manager ${nodeId}: it did not read the swarm's state from etcd in time; start it with the same ` +
        "--log, --etcd and --etcd-prefix as this one, and join again",
      { details: { raftId, addr } },
    );
  }

  async #remove(raftId: number): Promise<void> {
    this.#driver.mustLead("remove a manager");
    await this.#driver.look();
    const { keys, view } = this.#own;
    checkRemoval(view.meta.members, raftId);
    if (raftId === this.#own.raftId) {
      await this.transfer();
      this.#driver.mustLead("remove this manager itself");
    }
    await this.#driver.fenced("remove a manager", [
      { put: keys.removed(raftId), value: new Uint8Array(0) },
      { remove: keys.member(raftId) },
      { remove: keys.candidate(raftId) },
      { remove: keys.present(raftId) },
    ]);
  }

  /** Callers need not know that one change may build on another. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const mine = this.#last.then(change);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}
