import { expect } from "chai";
import { Node, NodeRole, NodeSpec, NodeState, NodeStatus } from "../../proto/gen/objects.ts";
import { Transaction } from "../../proto/gen/store.ts";
import type { Member } from "../log/replicated-log.ts";
import { createChange } from "../store/changes.ts";
import { getNode } from "../store/find.ts";
import { Store } from "../store/store.ts";
import { checkNodeRemoval, checkRoleChange } from "./nodes.ts";

const member = (raftId: number, reachable: boolean): Member => ({
  raftId,
  nodeId: `m${raftId}`,
  addr: `10.0.0.${raftId}:2377`,
  reachable,
});

function viewOf(managers: number) {
  const store = new Store();
  const spec = NodeSpec.create({ role: NodeRole.MANAGER });
  const changes = Array.from({ length: managers }, (_, i) =>
    createChange("node", Node.create({ id: `m${i + 1}`, spec, role: NodeRole.MANAGER })),
  );
  store.apply(1, Transaction.encode({ changes, nowMs: 0 }).finish());
  return store.view();
}

function demote(managers: number, members: readonly Member[], nodeId = "m1") {
  const view = viewOf(managers);
  checkRoleChange(view, getNode(view, nodeId), NodeSpec.create(), { leaderRaftId: 1, members });
}

describe("control: demotion and removal of nodes", () => {
  it("keeps the last manager", () => {
    expect(() => demote(1, [member(1, true)])).to.throw(
      /attempting to demote the last manager of the swarm/,
    );
  });

  it("keeps a manager without whom no majority would answer, and shows the arithmetic", () => {
    const members = [member(1, true), member(2, true), member(3, false)];
    expect(() => demote(3, members)).to.throw(
      /of 3 managers 2 answer; without it 1 of 2 would answer and 2 are needed/,
    );
  });

  it("lets it go by force all the same", () => {
    const members = [member(1, true), member(2, true), member(3, false)];
    const view = viewOf(3);
    const facts = { leaderRaftId: 1, members, force: true };
    expect(() =>
      checkRoleChange(view, getNode(view, "m1"), NodeSpec.create(), facts),
    ).not.to.throw();
  });

  it("lets the unreachable one of three go", () => {
    const members = [member(1, true), member(2, true), member(3, false)];
    expect(() => demote(3, members, "m3")).not.to.throw();
  });

  it("lets a change of anything but the role pass", () => {
    const view = viewOf(1);
    const spec = NodeSpec.create({ role: NodeRole.MANAGER, labels: { a: "b" } });
    expect(() =>
      checkRoleChange(view, getNode(view, "m1"), spec, { leaderRaftId: 1, members: [] }),
    ).not.to.throw();
  });

  const status = NodeStatus.create({ state: NodeState.READY });
  const stored = (role: NodeRole, state: Partial<NodeStatus> = {}) => {
    const node = {
      ...Node.create({ id: "n1", role }),
      meta: { version: 1, createdAtMs: 0, updatedAtMs: 0 },
    };
    return { ...node, spec: NodeSpec.create({ role }), status: { ...status, ...state } };
  };

  it("removes a manager only once it is a worker, even by force", () => {
    expect(() => checkNodeRemoval(stored(NodeRole.MANAGER), true, [])).to.throw(
      /must be demoted to worker before removal/,
    );
    const leaving = { ...member(1, true), nodeId: "n1" };
    expect(() => checkNodeRemoval(stored(NodeRole.WORKER), true, [leaving])).to.throw(
      /raft cluster/,
    );
  });

  it("removes a worker that is down, or any by force", () => {
    expect(() => checkNodeRemoval(stored(NodeRole.WORKER), false, [])).to.throw(/is not down/);
    expect(() => checkNodeRemoval(stored(NodeRole.WORKER), true, [])).not.to.throw();
    const down = stored(NodeRole.WORKER, { state: NodeState.DOWN });
    expect(() => checkNodeRemoval(down, false, [])).not.to.throw();
  });
});
