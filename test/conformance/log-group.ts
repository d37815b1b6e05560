import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import type { ReplicatedLog } from "../../manager/log/replicated-log.ts";
import { eventually } from "../support/eventually.ts";
import { ListState } from "../support/raft/list-state.ts";
import { memberOf, untilLeads } from "../support/raft/memory-cluster.ts";
import { expectCode } from "./replicated-log.ts";

/** Members of one log; number 1 begins it. */
export interface LogGroup {
  open(
    raftId: number,
    state: ListState,
    options: { readonly snapshotInterval: number },
  ): Promise<ReplicatedLog>;
  close(): Promise<void>;
}

interface GroupMember {
  readonly raftId: number;
  readonly log: ReplicatedLog;
  readonly state: ListState;
}

const SLOW_MS = 20_000;
/** Small: the tests write some hundreds of entries. */
const SNAPSHOT_INTERVAL = 50;

/** What every ReplicatedLog of several members promises. */
export function describeLogGroup(name: string, make: () => Promise<LogGroup>): void {
  describe(`ReplicatedLog: ${name}, as a group`, function () {
    this.timeout(60_000);
    let group: LogGroup;
    let members: [GroupMember, GroupMember, GroupMember];
    let load: Load;

    const open = async (raftId: number): Promise<GroupMember> => {
      const state = new ListState();
      const log = await group.open(raftId, state, { snapshotInterval: SNAPSHOT_INTERVAL });
      return { raftId, log, state };
    };
    const leaderOf = async (among: readonly GroupMember[]): Promise<GroupMember> => {
      const find = () => among.find(({ log }) => log.leadership().isLeader);
      await eventually("one of them leads", () => find() !== undefined, SLOW_MS);
      return find() ?? expect.fail("none leads");
    };
    /** The member the others follow; its own state is up to date. */
    const settledLeader = async (among: readonly GroupMember[]): Promise<GroupMember> => {
      for (;;) {
        const leader = await leaderOf(among);
        try {
          await leader.log.readBarrier();
          return leader;
        } catch (error) {
          if (!(error instanceof ClusterError)) throw error;
        }
      }
    };

    beforeEach(async () => {
      group = await make();
      const first = await open(1);
      await untilLeads(first.log);
      const others: GroupMember[] = [];
      for (const raftId of [2, 3]) {
        others.push(await open(raftId));
        await first.log.addMember(memberOf(raftId));
      }
      members = [first, ...others] as [GroupMember, GroupMember, GroupMember];
      load = new Load(() => members);
    });
    afterEach(async () => {
      await load?.stop();
      await group?.close();
    });

    it("applies the same entries in the same order at every member", async () => {
      const [first, ...others] = members;
      const texts = Array.from({ length: 300 }, (_, i) => `entry-${i}`);
      await Promise.all(texts.map((text) => first.log.propose(Buffer.from(text))));
      for (const { state, raftId } of others) {
        await eventually(`member ${raftId} has all`, () => state.entries.length === texts.length);
        expect(state.entries).to.deep.equal(texts);
      }
    });

    it("tells who asks a follower where the leader is", async () => {
      const [first, second] = members;
      await eventually("it knows", () => second.log.leadership().leaderRaftId === first.raftId);
      const error = await expectCode("Unavailable", second.log.propose(Buffer.from("x")));
      expect(error.details).to.include({ leader: memberOf(1).addr, leaderNodeId: "node-1" });
      await expectCode("Unavailable", second.log.addMember(memberOf(4)));
      await expectCode("Unavailable", second.log.removeMember(3));
      await expectCode("Unavailable", second.log.transferLeadership());
      expect(second.log.members().map(({ raftId }) => raftId)).to.deep.equal([1, 2, 3]);
    });

    it("loses and doubles nothing while leadership moves under load", async () => {
      load.start(8);
      for (let round = 0; round < 3; round++) {
        const leader = await settledLeader(members);
        await leader.log.transferLeadership();
        expect(leader.log.leadership().isLeader).to.equal(false);
      }
      await eventually("the load went on", () => load.acknowledged.size > 100, SLOW_MS);
      await load.stop();
      load.check((await settledLeader(members)).state.entries);
    });

    it("loses and doubles nothing when the leader closes with proposals under way", async () => {
      load.start(8);
      const leader = await settledLeader(members);
      await eventually("there is load", () => load.acknowledged.size > 50, SLOW_MS);
      await leader.log.close();
      const left = members.filter((member) => member !== leader);
      const before = load.acknowledged.size;
      await settledLeader(left);
      await eventually("it goes on", () => load.acknowledged.size > before + 50, SLOW_MS);
      await load.stop();
      load.check((await settledLeader(left)).state.entries);
    });

    it("gives a newcomer what snapshots have replaced", async () => {
      const [first] = members;
      const texts = Array.from({ length: 5 * SNAPSHOT_INTERVAL }, (_, i) => `entry-${i}`);
      for (const text of texts) await first.log.propose(Buffer.from(text));
      const fourth = await open(4);
      await first.log.addMember(memberOf(4));
      await first.log.propose(Buffer.from("last"));
      await eventually(
        "it has all",
        () => fourth.state.entries.length === texts.length + 1,
        SLOW_MS,
      );
      expect(fourth.state.entries).to.deep.equal([...texts, "last"]);
    });

    it("goes on without a member that was removed, and never takes its id again", async () => {
      const [first, second, third] = members;
      await first.log.removeMember(second.raftId);
      expect(first.log.members().map(({ raftId }) => raftId)).to.deep.equal([1, 3]);
      expect(first.log.removedIds()).to.deep.equal([second.raftId]);
      await expectCode("FailedPrecondition", first.log.addMember(memberOf(second.raftId)));
      await expectCode("NotFound", first.log.removeMember(second.raftId));
      await first.log.propose(Buffer.from("without it"));
      await eventually("the other has it", () => third.state.entries.includes("without it"));
      await first.log.transferLeadership();
      expect(await settledLeader(members)).to.equal(third);
    });

    it("removes its leader by handing over first, and its last member never", async () => {
      const [first] = members;
      const error = await expectCode("Unavailable", first.log.removeMember(first.raftId));
      const next = await settledLeader(members);
      expect(next).to.not.equal(first);
      expect(error.details.leader).to.equal(memberOf(next.raftId).addr);
      await next.log.removeMember(first.raftId);
      const last = members.find((member) => member !== first && member !== next);
      await next.log.removeMember(last?.raftId ?? 0);
      await expectCode("FailedPrecondition", next.log.removeMember(next.raftId));
      await next.log.propose(Buffer.from("alone"));
      await expectCode("FailedPrecondition", next.log.transferLeadership());
    });
  });
}

/** Clients that propose one entry after the other at whoever leads, and remember what they were told. */
class Load {
  readonly acknowledged = new Set<string>();
  /** Told that nothing was done. */
  readonly refused = new Set<string>();
  readonly #members: () => readonly GroupMember[];
  #clients: Promise<void>[] = [];
  #isOver = false;

  constructor(members: () => readonly GroupMember[]) {
    this.#members = members;
  }

  start(clients: number): void {
    this.#clients = Array.from({ length: clients }, (_, client) => this.#run(client));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients);
  }

  /** What was acknowledged is there once, what was refused is not, and each client's entries keep their order. */
  check(entries: readonly string[]): void {
    expect(new Set(entries).size, "doubled").to.equal(entries.length);
    const there = new Set(entries);
    expect([...this.acknowledged].filter((text) => !there.has(text))).to.deep.equal([]);
    expect([...this.refused].filter((text) => there.has(text))).to.deep.equal([]);
    for (const client of this.#clients.keys()) {
      const numbers = entries
        .filter((text) => text.startsWith(`${client}-`))
        .map((text) => Number(text.split("-")[1]));
      expect(numbers).to.deep.equal([...numbers].sort((a, b) => a - b));
    }
  }

  async #run(client: number): Promise<void> {
    for (let number = 0; !this.#isOver; number++) {
      const text = `${client}-${number}`;
      const leader = this.#members().find(({ log }) => log.leadership().isLeader);
      try {
        if (leader === undefined) await shortly();
        else {
          await leader.log.propose(Buffer.from(text));
          this.acknowledged.add(text);
        }
      } catch (error) {
        if (!(error instanceof ClusterError)) throw error;
        expect(error.code).to.equal("Unavailable");
        if (error.details.outcomeUnknown !== true) this.refused.add(text);
        // A refusal comes at once: the members must get their turn.
        await shortly();
      }
    }
  }
}

function shortly(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2));
}
