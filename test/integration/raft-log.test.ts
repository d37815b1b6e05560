import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ENTRY_BYTES_MAX } from "../../manager/log/replicated-log.ts";
import { expectCode } from "../conformance/replicated-log.ts";
import { eventually } from "../support/eventually.ts";
import {
  type GrpcMember,
  type GrpcMemberOptions,
  startGrpcMember,
} from "../support/raft/grpc-member.ts";
import { ListState } from "../support/raft/list-state.ts";

/** A leader is missed after 1 to 2 s; an election that splits takes a second round. */
const ELECTION_WAIT_MS = 8000;

describe("raft log: members over gRPC", function () {
  this.timeout(30_000);

  let root: string;
  let running: Map<number, GrpcMember>;
  let states: Map<number, ListState>;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "muster-raft-"));
    running = new Map();
    states = new Map();
  });
  afterEach(async () => {
    for (const member of running.values()) await member.stop();
    await rm(root, { recursive: true, force: true });
  });

  async function start(
    raftId: number,
    options: Partial<GrpcMemberOptions> = {},
  ): Promise<GrpcMember> {
    const stateMachine = new ListState();
    const dir = join(root, String(raftId));
    const member = await startGrpcMember({ dir, raftId, stateMachine, ...options });
    running.set(raftId, member);
    states.set(raftId, stateMachine);
    return member;
  }

  async function stop(raftId: number): Promise<void> {
    await running.get(raftId)?.stop();
    running.delete(raftId);
  }

  /** Three voters; the first leads. */
  async function startThree(options: Partial<GrpcMemberOptions> = {}): Promise<GrpcMember> {
    const first = await start(1, options);
    await eventually("the first leads", () => first.log.leadership().isLeader);
    for (const raftId of [2, 3]) {
      const { member } = await start(raftId, options);
      await first.log.addMember(member);
    }
    return first;
  }

  async function untilOneLeads(): Promise<GrpcMember> {
    const leader = (): GrpcMember | undefined =>
      [...running.values()].find(({ log }) => log.leadership().isLeader);
    await eventually("one of them leads", () => leader() !== undefined, ELECTION_WAIT_MS);
    const found = leader();
    if (found === undefined) throw new Error("it led a moment ago");
    return found;
  }

  function untilEquals(raftId: number, entries: readonly string[]): Promise<void> {
    return eventually(`member ${raftId} has ${entries.length} entries`, () => {
      const found = states.get(raftId)?.entries ?? [];
      return found.length >= entries.length && found.every((entry, i) => entry === entries[i]);
    });
  }

  async function proposeAll(log: GrpcMember["log"], entries: readonly string[]): Promise<void> {
    await Promise.all(entries.map((entry) => log.propose(Buffer.from(entry))));
  }

  it("replicates to members that joined, and tells who is not the leader where to go", async () => {
    const first = await startThree();
    const entries = named("a", 100);
    await proposeAll(first.log, entries);
    for (const raftId of [1, 2, 3]) await untilEquals(raftId, entries);
    const follower = running.get(2);
    const error = await expectCode(
      "Unavailable",
      follower?.log.propose(Buffer.from("no")) ?? Promise.resolve(),
    );
    expect(error.details.leader).to.equal(first.member.addr);
    expect(follower?.log.members().map(({ addr }) => addr)).to.deep.equal(
      [1, 2, 3].map((raftId) => running.get(raftId)?.member.addr),
    );
    expect(first.log.members().every(({ reachable }) => reachable === true)).to.equal(true);
  });

  it("carries entries of the largest size among small ones", async () => {
    const first = await startThree();
    const large = "x".repeat(ENTRY_BYTES_MAX);
    const entries = ["a", large, "b", large, large, "c"];
    await proposeAll(first.log, entries);
    for (const raftId of [1, 2, 3]) await untilEquals(raftId, entries);
  });

  it("elects another leader when the first is gone, which comes back and catches up", async () => {
    const first = await startThree();
    await proposeAll(first.log, named("a", 20));
    await stop(1);
    const leader = await untilOneLeads();
    await proposeAll(leader.log, named("b", 20));
    await eventually("the leader misses the first", () =>
      leader.log.members().some(({ raftId, reachable }) => raftId === 1 && reachable === false),
    );
    // Under another port: it says itself where it is.
    await start(1);
    const entries = [...named("a", 20), ...named("b", 20)];
    for (const raftId of [1, 2, 3]) await untilEquals(raftId, entries);
    const addr = running.get(1)?.member.addr;
    await eventually("every member's table has its new address", () =>
      [...running.values()].every(({ log }) =>
        log.members().some((member) => member.raftId === 1 && member.addr === addr),
      ),
    );
  });

  it("starts again from disk with everything, after all were stopped", async () => {
    const first = await startThree({ snapshotInterval: 30, entriesKept: 5 });
    const entries = named("a", 100);
    await proposeAll(first.log, entries);
    const ports = new Map([...running].map(([id, { member }]) => [id, portOf(member.addr)]));
    for (const raftId of [1, 2, 3]) await stop(raftId);
    for (const raftId of [1, 2, 3]) {
      await start(raftId, { start: "restart", port: ports.get(raftId) ?? 0 });
    }
    const leader = await untilOneLeads();
    await leader.log.readBarrier();
    for (const raftId of [1, 2, 3]) await untilEquals(raftId, entries);
    expect(leader.log.members()).to.have.length(3);
  });

  it("sends a snapshot to a member that is too far behind", async () => {
    const options = { snapshotInterval: 40, entriesKept: 5 };
    const first = await startThree(options);
    await stop(3);
    const entries = named("a", 200);
    for (const entry of entries) await first.log.propose(Buffer.from(entry));
    await start(3, options);
    await untilEquals(3, entries);
    expect(running.get(3)?.log.members()).to.have.length(3);
    await stop(3);
    await start(3, { ...options, start: "restart" });
    await untilEquals(3, entries);
  });

  it("hands leadership over, removes members, and never takes a removed one back", async () => {
    const first = await startThree();
    await first.log.transferLeadership();
    expect(first.log.leadership().isLeader).to.equal(false);
    const leader = await untilOneLeads();
    await leader.log.removeMember(1);
    const left = [2, 3].map((raftId) => running.get(raftId));
    await eventually("both know", () => left.every((one) => one?.log.members().length === 2));
    await expectCode("FailedPrecondition", leader.log.addMember(first.member));
    await proposeAll(leader.log, named("b", 5));
  });

  it("remembers the removed through snapshots, compaction and restarts, and tells them", async () => {
    const options = { snapshotInterval: 20, entriesKept: 2 };
    const first = await startThree(options);
    await stop(3);
    await first.log.removeMember(3);
    await proposeAll(first.log, named("a", 20));
    for (const entry of named("b", 60)) await first.log.propose(Buffer.from(entry));
    const ports = new Map([...running].map(([id, { member }]) => [id, portOf(member.addr)]));
    for (const raftId of [1, 2]) await stop(raftId);
    for (const raftId of [1, 2]) {
      await start(raftId, { ...options, start: "restart", port: ports.get(raftId) ?? 0 });
    }
    const notices: string[] = [];
    const third = await start(3, {
      ...options,
      start: "restart",
      onExpelled: ({ reason }) => void notices.push(reason),
    });
    const leader = await untilOneLeads();
    await eventually("the removed one is told", () => notices.length > 0);
    expect(notices[0]).to.contain("id 3 was removed from the group for ever");
    await leader.log.readBarrier();
    await expectCode("FailedPrecondition", leader.log.addMember(third.member));
    await proposeAll(leader.log, named("c", 5));
  });

  it("refuses a removal that would leave too few that answer", async () => {
    const first = await startThree();
    await stop(3);
    await eventually("the leader misses the third", () =>
      first.log.members().some(({ raftId, reachable }) => raftId === 3 && reachable === false),
    );
    const error = await expectCode("FailedPrecondition", first.log.removeMember(2));
    expect(error.message).to.contain(
      "of 3 managers 2 answer; without it 1 of 2 would answer and 2 are needed",
    );
    await first.log.removeMember(3);
    await first.log.removeMember(2);
    await proposeAll(first.log, named("alone", 3));
  });

  it("refuses to start without its log", async () => {
    await expectCode("FailedPrecondition", start(7, { start: "restart" }));
  });
});

function named(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${name}-${i}`);
}

function portOf(addr: string): number {
  return Number(addr.split(":").at(-1));
}
