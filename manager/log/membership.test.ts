import { expect } from "chai";
import type { ClusterError } from "../../core/errors.ts";
import { silentLog } from "../../core/log.ts";
import { seededRandom } from "../../core/random.ts";
import { VirtualTime } from "../../test/simulation/raft/virtual-time.ts";
import { ListState } from "../../test/support/raft/list-state.ts";
import { memberOf } from "../../test/support/raft/memory-cluster.ts";
import { MemoryDisk } from "./disk/memory-disk.ts";
import { openRaftLog } from "./raft-log.ts";
import type { ReplicatedLog } from "./replicated-log.ts";
import { MemoryNetwork } from "./transport/memory-network.ts";

const ENTRIES = 200;
const CATCH_UP_MS = 60_000;
const CATCH_UP_ENTRIES = 64;

/** A group in virtual time whose network loses what it is told to. */
class Group {
  readonly time = new VirtualTime();
  readonly states = new Map<number, ListState>();
  /** Whether messages reach the second member. */
  isOpen = true;
  readonly #network = new MemoryNetwork(this.time, (from, to, arrive) => {
    if (this.isOpen || (from !== 2 && to !== 2)) this.time.after(1, arrive);
  });

  async open(raftId: number): Promise<ReplicatedLog> {
    const state = new ListState();
    this.states.set(raftId, state);
    const opening = openRaftLog({
      dir: "",
      ...memberOf(raftId),
      start: raftId === 1 ? "bootstrap" : "join",
      stateMachine: state,
      transport: this.#network.transport(raftId),
      clock: this.time,
      random: seededRandom(raftId),
      log: silentLog,
      onFatal: (error) => {
        throw error;
      },
      snapshotInterval: ENTRIES / 4,
      entriesKept: 5,
      disk: new MemoryDisk(),
    });
    await this.time.pass(10);
    return opening;
  }

  /** Lets time pass until `promise` is settled. @returns its error, or undefined. */
  async outcomeOf(promise: Promise<unknown>, withinMs: number): Promise<ClusterError | undefined> {
    let outcome: { readonly error: ClusterError | undefined } | undefined;
    promise.then(
      () => {
        outcome = { error: undefined };
      },
      (error: ClusterError) => {
        outcome = { error };
      },
    );
    const isSettled = await this.time.pass(withinMs, () => outcome !== undefined);
    expect(isSettled, "it is settled in time").to.equal(true);
    return outcome?.error;
  }
}

/** A group of one that leads and has entries which only a snapshot still brings. */
async function groupOfOne() {
  const group = new Group();
  const first = await group.open(1);
  await group.time.pass(2000, () => first.leadership().isLeader);
  for (let i = 0; i < ENTRIES; i++) {
    expect(await group.outcomeOf(first.propose(Buffer.from(`${i}`)), 100)).to.equal(undefined);
  }
  return { group, first };
}

describe("raft log: a member that joins", () => {
  it("has no vote until it has caught up, and slows nobody down meanwhile", async () => {
    const { group, first } = await groupOfOne();
    group.isOpen = false;
    await group.open(2);
    let isAdded = false;
    const adding = first.addMember(memberOf(2)).then(() => {
      isAdded = true;
    });
    await group.time.pass(CATCH_UP_MS / 2);
    expect(first.members().map(({ learner }) => learner)).to.deep.equal([false, true]);
    // Of two voters one would not be a majority.
    expect(await group.outcomeOf(first.propose(Buffer.from("alone")), 100)).to.equal(undefined);

    group.isOpen = true;
    const hasVote = () => first.members().every(({ learner }) => learner === false);
    await group.time.pass(CATCH_UP_MS / 2, hasVote);
    expect(hasVote()).to.equal(true);
    expect(group.states.get(2)?.entries).to.have.length.above(ENTRIES - CATCH_UP_ENTRIES);
    await group.outcomeOf(adding, 1000);
    expect(isAdded).to.equal(true);
  });

  it("is taken out again when it does not catch up, and its id is of no use any more", async () => {
    const { group, first } = await groupOfOne();
    group.isOpen = false;
    const error = await group.outcomeOf(first.addMember(memberOf(2)), 2 * CATCH_UP_MS);
    expect(error).to.include({ code: "DeadlineExceeded" });
    expect(error?.message).to.contain(`nothing at ${memberOf(2).addr} took the cluster's state`);
    expect(first.members().map(({ raftId }) => raftId)).to.deep.equal([1]);
    expect(first.removedIds()).to.deep.equal([2]);
    const again = await group.outcomeOf(first.addMember(memberOf(2)), 1000);
    expect(again).to.include({ code: "FailedPrecondition" });
  });
});
