import { expect } from "chai";
import {
  Network,
  NetworkSpec,
  Node,
  NodeDescription,
  NodeRole,
  NodeSpec,
  ServiceSpec,
  Task,
  TaskSpec,
  TaskState,
} from "../../proto/gen/objects.ts";
import { Transaction } from "../../proto/gen/store.ts";
import { createChange } from "../store/changes.ts";
import { createServiceChanges } from "../store/service-changes.ts";
import { Store } from "../store/store.ts";
import {
  type Filters,
  filterNetworks,
  filterNodes,
  filterServices,
  filterTasks,
} from "./filters.ts";

const spec = (name: string, part: Partial<ServiceSpec> = {}) =>
  ServiceSpec.create({
    name,
    task: TaskSpec.create({ container: { image: "i" } as never }),
    ...part,
  });

const store = new Store();
const changes = [
  ...createServiceChanges("s1", spec("web", { labels: { tier: "front" } })),
  ...createServiceChanges("s2", spec("web-admin", { mode: { $case: "global", value: {} } })),
  createChange(
    "node",
    Node.create({
      id: "n1",
      spec: NodeSpec.create({ labels: { zone: "a" }, role: NodeRole.MANAGER }),
      role: NodeRole.MANAGER,
      description: NodeDescription.create({ hostname: "alpha", engineLabels: { disk: "ssd" } }),
    }),
  ),
  createChange(
    "node",
    Node.create({
      id: "n2",
      spec: NodeSpec.create({ labels: { zone: "b" } }),
      description: NodeDescription.create({ hostname: "beta" }),
    }),
  ),
  createChange(
    "task",
    Task.create({
      id: "t1",
      serviceId: "s1",
      slot: 1,
      revision: 1,
      nodeId: "n1",
      desiredState: TaskState.RUNNING,
    }),
  ),
  createChange(
    "task",
    Task.create({
      id: "t2",
      serviceId: "s2",
      revision: 1,
      nodeId: "n2",
      desiredState: TaskState.SHUTDOWN,
    }),
  ),
  createChange(
    "network",
    Network.create({ id: "w1", spec: NetworkSpec.create({ name: "front", driver: "overlay" }) }),
  ),
  createChange(
    "network",
    Network.create({ id: "w2", spec: NetworkSpec.create({ name: "old" }), pendingDelete: true }),
  ),
];
store.apply(1, Transaction.encode({ changes, nowMs: 0 }).finish());
const view = store.view();

const LISTS = {
  services: (filters: Filters) => filterServices(view, filters).map(({ id }) => id),
  tasks: (filters: Filters) => filterTasks(view, filters).map(({ id }) => id),
  nodes: (filters: Filters) => filterNodes(view, filters).map(({ id }) => id),
  networks: (filters: Filters) => filterNetworks(view, filters).map(({ id }) => id),
};

const CASES: { list: keyof typeof LISTS; filters: Filters; expected: string[] }[] = [
  { list: "services", filters: {}, expected: ["s1", "s2"] },
  { list: "services", filters: { name: ["web"] }, expected: ["s1", "s2"] },
  { list: "services", filters: { name: ["web-"] }, expected: ["s2"] },
  { list: "services", filters: { mode: ["global"] }, expected: ["s2"] },
  { list: "services", filters: { label: ["tier=front"] }, expected: ["s1"] },
  { list: "services", filters: { label: ["tier"], mode: ["global"] }, expected: [] },
  { list: "services", filters: { id: ["s1", "s2"] }, expected: ["s1", "s2"] },
  { list: "services", filters: { id: [] }, expected: ["s1", "s2"] },
  { list: "services", filters: { label: ["toString"] }, expected: [] },
  { list: "tasks", filters: { service: ["web"] }, expected: ["t1"] },
  { list: "tasks", filters: { service: ["gone"] }, expected: [] },
  { list: "tasks", filters: { node: ["beta"] }, expected: ["t2"] },
  { list: "tasks", filters: { name: ["web.1"] }, expected: ["t1"] },
  { list: "tasks", filters: { "desired-state": ["running", "shutdown"] }, expected: ["t1", "t2"] },
  { list: "tasks", filters: { "desired-state": ["running"] }, expected: ["t1"] },
  { list: "tasks", filters: { "_up-to-date": ["false"] }, expected: [] },
  { list: "nodes", filters: { role: ["manager"] }, expected: ["n1"] },
  { list: "nodes", filters: { name: ["be"] }, expected: ["n2"] },
  { list: "nodes", filters: { label: ["disk=ssd"] }, expected: ["n1"] },
  { list: "nodes", filters: { "node.label": ["zone=b"] }, expected: ["n2"] },
  { list: "nodes", filters: { membership: ["pending"] }, expected: [] },
  { list: "networks", filters: {}, expected: ["w1"] },
  { list: "networks", filters: { driver: ["overlay"], scope: ["swarm"] }, expected: ["w1"] },
];

describe("control: filters", () => {
  for (const { list, filters, expected } of CASES) {
    it(`${list} ${JSON.stringify(filters)}`, () => {
      expect(LISTS[list](filters)).to.have.members(expected);
    });
  }

  it("refuses filters nobody knows, those of every object included", () => {
    expect(() => LISTS.nodes({ color: ["red"] })).to.throw(/invalid filter 'color'/);
    expect(() => LISTS.nodes({ constructor: ["x"] })).to.throw(/invalid filter 'constructor'/);
    expect(() => LISTS.tasks({ "desired-state": ["happy"] })).to.throw(/invalid task state/);
    expect(() => LISTS.nodes({ role: ["king"] })).to.throw(/invalid role filter/);
  });
});
