import { expect } from "chai";
import type { DeepPartial } from "../../proto/gen/objects.ts";
import { NodeAvailability, NodeState, type TaskSpec } from "../../proto/gen/objects.ts";
import { type NodeOptions, StoreFixture, serviceSpec } from "../../test/support/store-fixture.ts";
import { updateChange } from "../store/changes.ts";
import type { StoredRevision, StoredTask } from "../store/objects.ts";
import { NodeBook } from "./node-book.ts";
import { demandOf } from "./node-usage.ts";
import { placeGroup } from "./place.ts";

const GIB = 2 ** 30;

function revision(task: DeepPartial<TaskSpec> = {}, hostPort = 0, serviceId = "s"): StoredRevision {
  const hostPorts =
    hostPort === 0
      ? []
      : [
          {
            name: "",
            protocol: 1 as const,
            targetPort: 80,
            publishedPort: hostPort,
            publishMode: 2 as const,
          },
        ];
  const spec = serviceSpec({ task });
  if (spec.task === undefined) throw new Error("no task");
  return { serviceId, revision: 1, task: spec.task, createdAtMs: 0, hostPorts, ingress: false };
}

function tasks(count: number): StoredTask[] {
  return Array.from({ length: count }, (_, i) => ({ id: `t${i}` }) as StoredTask);
}

function nodes(options: readonly NodeOptions[]): NodeBook {
  const fixture = new StoreFixture();
  options.forEach((option, i) => {
    fixture.addNode(`n${i + 1}`, option);
  });
  return NodeBook.of(fixture.view);
}

/** How many tasks each node got, in the order of the nodes. */
function counts(book: NodeBook): number[] {
  return [...book.values()].map((usage) => usage.total);
}

describe("scheduler: where tasks go", () => {
  const cases: readonly {
    readonly name: string;
    readonly nodes: readonly NodeOptions[];
    readonly revision: StoredRevision;
    readonly count: number;
    readonly expected: readonly number[];
    readonly reason?: string;
  }[] = [
    { name: "evenly", nodes: [{}, {}, {}], revision: revision(), count: 7, expected: [3, 2, 2] },
    {
      name: "nowhere without nodes",
      nodes: [],
      revision: revision(),
      count: 1,
      expected: [],
      reason: "no suitable node",
    },
    {
      name: "not to nodes that are away",
      nodes: [{ state: NodeState.DOWN }, { state: NodeState.DISCONNECTED }],
      revision: revision(),
      count: 1,
      expected: [0, 0],
      reason: "no suitable node (2 nodes not available for new tasks)",
    },
    {
      name: "as many as the reservations allow, and no more",
      nodes: [{ memoryBytes: 5 * GIB }, { memoryBytes: 2 * GIB }, { memoryBytes: GIB }],
      revision: revision({ resources: { reservations: { memoryBytes: 2 * GIB } } }),
      count: 4,
      expected: [2, 1, 0],
      reason: "no suitable node (insufficient resources on 3 nodes)",
    },
    {
      name: "by the scarcer of processors and memory",
      nodes: [{ nanoCpus: 4e9, memoryBytes: 100 * GIB }],
      revision: revision({ resources: { reservations: { nanoCpus: 1.5e9, memoryBytes: GIB } } }),
      count: 3,
      expected: [2],
      reason: "no suitable node (insufficient resources on 1 node)",
    },
    {
      name: "where the constraints hold",
      nodes: [{ labels: { disk: "ssd" } }, { labels: { disk: "hdd" } }, {}],
      revision: revision({ placement: { constraints: ["node.labels.disk == SSD"] } }),
      count: 2,
      expected: [2, 0, 0],
    },
    {
      name: "nowhere when none holds, saying why each node did not do",
      nodes: [{}, {}, { nanoCpus: 0 }],
      revision: revision({
        placement: { constraints: ["node.hostname != n1", "node.hostname != n2"] },
        resources: { reservations: { nanoCpus: 1 } },
      }),
      count: 1,
      expected: [0, 0, 0],
      reason:
        "no suitable node (scheduling constraints not satisfied on 2 nodes; insufficient resources on 1 node)",
    },
    {
      name: "where the platform fits, by either name of it",
      nodes: [{}],
      revision: revision({ placement: { platforms: [{ architecture: "amd64", os: "linux" }] } }),
      count: 1,
      expected: [1],
    },
    {
      name: "not where the platform does not fit",
      nodes: [{}],
      revision: revision({ placement: { platforms: [{ architecture: "arm64", os: "linux" }] } }),
      count: 1,
      expected: [0],
      reason: "no suitable node (unsupported platform on 1 node)",
    },
    {
      name: "one to a node for each host port",
      nodes: [{}, {}],
      revision: revision({}, 8080),
      count: 3,
      expected: [1, 1],
      reason: "no suitable node (host-mode port already in use on 2 nodes)",
    },
    {
      name: "no more to a node than max replicas",
      nodes: [{}, {}],
      revision: revision({ placement: { maxReplicas: 2 } }),
      count: 5,
      expected: [2, 2],
      reason: "no suitable node (max replicas per node limit exceeded on 2 nodes)",
    },
    {
      name: "evenly over a label's values first",
      nodes: [{ labels: { dc: "a" } }, { labels: { dc: "a" } }, { labels: { dc: "b" } }],
      revision: revision({ placement: { spread: ["node.labels.dc"] } }),
      count: 8,
      expected: [2, 2, 4],
    },
    {
      name: "on to the other values when one is full",
      nodes: [{ labels: { dc: "a" } }, { labels: { dc: "b" }, memoryBytes: GIB }],
      revision: revision({
        placement: { spread: ["node.labels.dc"] },
        resources: { reservations: { memoryBytes: GIB } },
      }),
      count: 6,
      expected: [5, 1],
    },
  ];
  for (const { name, nodes: options, revision: wanted, count, expected, reason = "" } of cases) {
    it(name, () => {
      const book = nodes(options);
      const placement = placeGroup(book, { revision: wanted, tasks: tasks(count) }, 0);
      expect(counts(book)).to.deep.equal(expected);
      expect(placement.reason).to.equal(reason);
      expect(placement.placed.length + placement.unplaced.length).to.equal(count);
    });
  }

  it("the fewest of the service, then the fewest in all", () => {
    const book = nodes([{}, {}, {}]);
    for (let i = 0; i < 5; i++) book.assign(`x${i}`, "n3", demandOf(revision({}, 0, "other")));
    book.assign("y", "n1", demandOf(revision()));
    const { placed } = placeGroup(book, { revision: revision(), tasks: tasks(1) }, 0);
    expect(placed[0]?.nodeId).to.equal("n2");
    placeGroup(book, { revision: revision(), tasks: tasks(3).slice(1) }, 0);
    const perNode = ["n1", "n2", "n3"].map((id) => book.get(id)?.countOf("s"));
    expect(perNode).to.deep.equal([2, 1, 1]);
  });

  it("last to a node where the service failed five times in five minutes", () => {
    const book = nodes([{}, {}]);
    for (let i = 0; i < 5; i++) book.get("n1")?.addFailure("s", 1, 1_000 + i);
    placeGroup(book, { revision: revision(), tasks: tasks(3) }, 10_000);
    expect(counts(book)).to.deep.equal([0, 3]);
    const later = nodes([{}, {}]);
    for (let i = 0; i < 5; i++) later.get("n1")?.addFailure("s", 1, 1_000 + i);
    placeGroup(later, { revision: revision(), tasks: tasks(4) }, 10 * 60_000);
    expect(counts(later)).to.deep.equal([2, 2]);
  });

  it("not to paused or drained nodes", () => {
    const fixture = new StoreFixture();
    for (const [id, availability] of [
      ["n1", NodeAvailability.PAUSE],
      ["n2", NodeAvailability.DRAIN],
      ["n3", NodeAvailability.ACTIVE],
    ] as const) {
      fixture.addNode(id);
      const spec = { name: "", labels: {}, role: 0 as const, availability };
      fixture.must(updateChange("node", id, { spec }));
    }
    const book = NodeBook.of(fixture.view);
    placeGroup(book, { revision: revision(), tasks: tasks(2) }, 0);
    expect(counts(book)).to.deep.equal([0, 0, 2]);
  });
});

describe("scheduler: what a node has left", () => {
  it("counts tasks until they have ended, ended ones never", () => {
    const book = nodes([{ nanoCpus: 4e9 }]);
    const demand = demandOf(revision({ resources: { reservations: { nanoCpus: 1e9 } } }));
    const usage = book.get("n1");
    book.assign("a", "n1", demand);
    book.assign("a", "n1", demand);
    expect(usage).to.include({ freeNanoCpus: 3e9, total: 1 });
    book.assign("a", "n1", demand, false);
    expect(usage).to.include({ freeNanoCpus: 3e9, total: 0 });
    book.removeTask({ id: "a", nodeId: "n1" });
    book.removeTask({ id: "a", nodeId: "n1" });
    expect(usage).to.include({ freeNanoCpus: 4e9, total: 0 });
  });
});
