import { expect } from "chai";
import {
  Cluster,
  type ManagerStatus,
  Network,
  NetworkSpec,
  Node,
  NodeAvailability,
  NodeRole,
  NodeSpec,
  NodeState,
  NodeStatus,
  RootCa,
  Service,
  ServiceSpec,
  TaskSpec,
} from "../../proto/gen/objects.ts";
import { type Change, Transaction } from "../../proto/gen/store.ts";
import { encodeConfChanges } from "../../raft-ts/index.ts";
import type { Entry } from "../../raft-ts/types.ts";
import { encodeMember } from "../log/applied-state.ts";
import { createChange } from "../store/changes.ts";
import { Store } from "../store/store.ts";
import { recoverSwarm, stateOf } from "./recovered-swarm.ts";
import { formatSummary, summarize } from "./summary.ts";

const NOW = 1_800_000_000_000;
const member = (raftId: number) => ({
  raftId,
  nodeId: `m${raftId}`,
  addr: `10.0.0.${raftId}:2377`,
});

function join(index: number, raftId: number, kind: "addVoter" | "remove" = "addVoter"): Entry {
  const context = kind === "remove" ? new Uint8Array(0) : encodeMember(member(raftId));
  const data = encodeConfChanges([{ kind, raftId, context }]);
  return { index, term: 1, kind: "confChange", data };
}

function write(index: number, changes: Change[], term = 1): Entry {
  const data = Transaction.encode({ changes, nowMs: 1 }).finish();
  return { index, term, kind: "normal", data };
}

function node(id: string, manager?: ManagerStatus): Change {
  const role = manager === undefined ? NodeRole.WORKER : NodeRole.MANAGER;
  const status = NodeStatus.create({ state: NodeState.READY, addr: "10.0.0.1" });
  return createChange(
    "node",
    Node.create({ id, spec: NodeSpec.create({ role }), role, manager, status }),
  );
}

const ENTRIES: readonly Entry[] = [
  join(1, 1),
  join(2, 2),
  join(3, 3),
  join(4, 9),
  join(5, 9, "remove"),
  write(6, [
    createChange(
      "cluster",
      Cluster.create({
        id: "c",
        spec: {},
        rootCa: RootCa.create({ workerToken: "t" }),
        generation: 5,
      }),
    ),
    createChange(
      "network",
      Network.create({ id: "n", spec: NetworkSpec.create({ name: "back" }) }),
    ),
    ...[1, 2, 3].map((id) => node(`m${id}`, { raftId: id, addr: member(id).addr })),
    node("w1"),
  ]),
  // Nobody here knows whether this was committed.
  write(
    7,
    [
      createChange(
        "service",
        Service.create({
          id: "s",
          spec: ServiceSpec.create({ name: "web", task: TaskSpec.create() }),
        }),
      ),
    ],
    4,
  ),
];

const survivor = { nodeId: "m2", raftId: 77, addr: "10.0.0.22:2377" };
const state = () => stateOf({ snapshot: undefined, entries: ENTRIES, term: 6 });

function restored(parts: readonly Uint8Array[]) {
  const store = new Store();
  store.restore(8, parts);
  return store.view();
}

describe("recovery: a swarm goes on with one manager", () => {
  it("counts every entry, known to be committed or not", () => {
    expect(state()).to.include({ index: 7, term: 6 });
    expect(formatSummary(summarize(state()))).to.deep.equal([
      "cluster   c",
      "log       index 7, term 6",
      "manager   m1 (m1) at 10.0.0.1:2377",
      "manager   m2 (m2) at 10.0.0.2:2377",
      "manager   m3 (m3) at 10.0.0.3:2377",
      "workers   1",
      "services  1: web",
      "networks  1: back",
      "tasks     0",
    ]);
  });

  it("keeps the unlock key its files are under when the state is of an older one", () => {
    const key = new Uint8Array([1, 2, 3]);
    const locked = (version: number) =>
      restored(recoverSwarm(state(), { ...survivor, lock: { key, version } }, NOW).parts).cluster;
    expect(locked(3)?.unlockKey).to.deep.equal({ key: Buffer.from(key), version: 3 });
    expect(locked(3)?.spec.autoLockManagers).to.equal(true);
    expect(locked(0)?.unlockKey).to.equal(undefined);
  });

  it("makes a group of one under a new id, past all there was, and no former id comes back", () => {
    const { header } = recoverSwarm(state(), survivor, NOW);
    expect(header.meta).to.deep.equal({
      index: 8,
      term: 7,
      confState: { voters: [77], votersOutgoing: [], learners: [] },
    });
    expect(header.members.members).to.deep.equal([{ ...survivor, learner: false }]);
    expect([...header.members.removed].sort()).to.deep.equal([1, 2, 3, 9]);
  });

  it("keeps everything but who the managers are, and raises the generation", () => {
    const view = restored(recoverSwarm(state(), survivor, NOW).parts);
    expect(view.cluster).to.include({ id: "c", generation: NOW });
    expect(view.cluster?.rootCa?.workerToken).to.equal("t");
    expect(view.services.get("s")?.spec.name).to.equal("web");
    expect(view.networks.get("n")?.spec.name).to.equal("back");
    const { raftId, addr } = survivor;
    expect(view.nodes.get("m2")).to.deep.include({
      role: NodeRole.MANAGER,
      manager: { raftId, addr },
    });
    for (const id of ["m1", "m3"]) {
      expect(view.nodes.get(id)).to.include({ role: NodeRole.WORKER, manager: undefined });
      expect(view.nodes.get(id)?.spec.role).to.equal(NodeRole.WORKER);
      expect(view.nodes.get(id)?.status.state).to.equal(NodeState.READY);
    }
  });

  it("never lowers the generation, whatever the clock says", () => {
    expect(restored(recoverSwarm(state(), survivor, 3).parts).cluster?.generation).to.equal(6);
  });

  it("takes a node in that the swarm does not know, for a restore", () => {
    const joins = NodeAvailability.ACTIVE;
    const { parts } = recoverSwarm(state(), { ...survivor, nodeId: "new", joins }, NOW);
    const view = restored(parts);
    expect(view.nodes.get("new")?.manager).to.deep.equal({ raftId: 77, addr: survivor.addr });
    expect(view.nodes.get("m2")?.role).to.equal(NodeRole.WORKER);
  });

  it("refuses another swarm's node and a state that holds no swarm", () => {
    expect(() => recoverSwarm(state(), { ...survivor, nodeId: "foreign" }, NOW)).to.throw(
      "node foreign is not in this state",
    );
    const empty = stateOf({ snapshot: undefined, entries: [join(1, 1)], term: 1 });
    expect(() => recoverSwarm(empty, survivor, NOW)).to.throw("had only begun to join");
  });
});
