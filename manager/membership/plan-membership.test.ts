import { expect } from "chai";
import { type ManagerStatus, Node, NodeRole, NodeSpec } from "../../proto/gen/objects.ts";
import { Transaction } from "../../proto/gen/store.ts";
import type { Member } from "../log/replicated-log.ts";
import { createChange } from "../store/changes.ts";
import { Store } from "../store/store.ts";
import { planMembership } from "./plan-membership.ts";

const { MANAGER, WORKER } = NodeRole;

interface NodeCase {
  readonly id: string;
  readonly wanted: NodeRole;
  readonly role: NodeRole;
  readonly manager?: ManagerStatus;
}

function viewOf(nodes: readonly NodeCase[]) {
  const store = new Store();
  const changes = nodes.map(({ id, wanted, role, manager }) =>
    createChange(
      "node",
      Node.create({ id, spec: NodeSpec.create({ role: wanted }), role, manager }),
    ),
  );
  store.apply(1, Transaction.encode({ changes, nowMs: 0 }).finish());
  return store.view();
}

const member = (raftId: number): Member => ({ raftId, nodeId: `n${raftId}`, addr: `h${raftId}:1` });
const manager = (raftId: number): NodeCase => ({
  id: `n${raftId}`,
  wanted: MANAGER,
  role: MANAGER,
  manager: { raftId, addr: `h${raftId}:1` },
});

const CASES: { name: string; nodes: NodeCase[]; members: Member[]; expected: string[] }[] = [
  {
    name: "nothing while all agree",
    nodes: [manager(1), { id: "w", wanted: WORKER, role: WORKER }],
    members: [member(1)],
    expected: [],
  },
  {
    name: "to record a member the store knows nothing of",
    nodes: [{ id: "n1", wanted: MANAGER, role: MANAGER }],
    members: [member(1)],
    expected: ["setManager n1"],
  },
  {
    name: "to record a member's new address",
    nodes: [{ ...manager(1), manager: { raftId: 1, addr: "old:1" } }],
    members: [member(1)],
    expected: ["setManager n1"],
  },
  {
    name: "a worker's promotion: its role; it joins the group by itself",
    nodes: [manager(1), { id: "w", wanted: MANAGER, role: WORKER }],
    members: [member(1)],
    expected: ["setRole w"],
  },
  {
    name: "nothing for a manager that has yet to join",
    nodes: [manager(1), { id: "n2", wanted: MANAGER, role: MANAGER }],
    members: [member(1)],
    expected: [],
  },
  {
    name: "a demotion: out of the group first, its role untouched",
    nodes: [manager(1), { ...manager(2), wanted: WORKER }],
    members: [member(1), member(2)],
    expected: ["removeMember n2"],
  },
  {
    name: "a demotion's end, once it is out of the group",
    nodes: [manager(1), { ...manager(2), wanted: WORKER }],
    members: [member(1)],
    expected: ["clearManager n2", "setRole n2"],
  },
  {
    name: "the removal of a member that slipped in while it was being demoted",
    nodes: [manager(1), { id: "n2", wanted: WORKER, role: WORKER }],
    members: [member(1), member(2)],
    expected: ["removeMember n2"],
  },
  {
    name: "the removal of a member whose node is gone",
    nodes: [manager(1)],
    members: [member(1), member(2)],
    expected: ["removeMember n2"],
  },
  {
    name: "its own removal last",
    nodes: [{ ...manager(1), wanted: WORKER }, manager(2), { ...manager(3), wanted: WORKER }],
    members: [member(1), member(2), member(3)],
    expected: ["removeMember n3", "removeMember n1"],
  },
];

describe("membership: plan", () => {
  for (const { name, nodes, members, expected } of CASES) {
    it(`plans ${name}`, () => {
      const actions = planMembership(viewOf(nodes), members, 1);
      expect(actions.map(({ kind, nodeId }) => `${kind} ${nodeId}`)).to.deep.equal(expected);
    });
  }
});
