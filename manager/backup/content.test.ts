import { expect } from "chai";
import { Cluster, Node, NodeRole, NodeSpec, NodeStatus } from "../../proto/gen/objects.ts";
import { Transaction } from "../../proto/gen/store.ts";
import { MemoryLog } from "../log/memory-log.ts";
import { recoverSwarm } from "../recovery/recovered-swarm.ts";
import { createChange } from "../store/changes.ts";
import { Store } from "../store/store.ts";
import { backupParts, indexOf, stateOfBackup } from "./content.ts";

const NOW = 1_800_000_000_000;
const member = (raftId: number) => ({
  raftId,
  nodeId: `m${raftId}`,
  addr: `10.0.0.${raftId}:2377`,
});

/** A swarm of the managers 1 and 2; 3 was one. */
async function swarm() {
  const store = new Store();
  const replicatedLog = new MemoryLog(store, { self: member(1) });
  for (const raftId of [2, 3]) await replicatedLog.addMember(member(raftId));
  await replicatedLog.removeMember(3);
  const changes = [
    createChange("cluster", Cluster.create({ id: "c", spec: {} })),
    ...[1, 2].map((raftId) =>
      createChange(
        "node",
        Node.create({
          id: `m${raftId}`,
          spec: NodeSpec.create({ role: NodeRole.MANAGER }),
          role: NodeRole.MANAGER,
          manager: { raftId, addr: member(raftId).addr },
          status: NodeStatus.create(),
        }),
      ),
    ),
  ];
  await replicatedLog.propose(Transaction.encode({ changes, nowMs: NOW }).finish());
  return { replicatedLog, stateMachine: store, view: () => store.view() };
}

describe("backup: what is in it", () => {
  it("is the state at one index, and who the managers were", async () => {
    const source = await swarm();
    const parts = [];
    for await (const part of backupParts(source)) parts.push(part);
    expect(indexOf(parts[0] ?? new Uint8Array(0))).to.equal(source.view().index);
    const state = await stateOfBackup(backupParts(source));
    expect(state.index).to.equal(source.view().index);
    expect([...state.store.view().nodes.values()].map(({ id }) => id)).to.deep.equal(["m1", "m2"]);
    expect(state.members.members.map(({ raftId }) => raftId)).to.deep.equal([1, 2]);
  });

  it("keeps raft ids that were removed: none comes back in the swarm that is restored", async () => {
    const state = await stateOfBackup(backupParts(await swarm()));
    expect(state.members.removed).to.deep.equal([3]);
    const self = { nodeId: "m1", raftId: 77, addr: "10.0.0.1:2377" };
    const { header } = recoverSwarm(state, self, NOW);
    expect([...header.members.removed].sort()).to.deep.equal([1, 2, 3]);
  });
});
