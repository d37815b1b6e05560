import { expect } from "chai";
import {
  type DeepPartial,
  NodeSpec,
  NodeState,
  Task,
  TaskState,
  TaskStatus,
} from "../../proto/gen/objects.ts";
import type { Change } from "../../proto/gen/store.ts";
import { StoreFixture, serviceObject, serviceSpec } from "../../test/support/store-fixture.ts";
import { createChange, removeChange, updateChange } from "./changes.ts";
import {
  createServiceChanges,
  removeNetworkChanges,
  updateServiceChanges,
} from "./service-changes.ts";

const published = (publishedPort: number) => ({
  endpoint: { ports: [{ targetPort: 80, publishedPort }] },
});

const task = (id: string, partial: DeepPartial<Task> = {}) =>
  createChange(
    "task",
    Task.fromPartial({
      id,
      serviceId: "web",
      slot: 1,
      revision: 1,
      desiredState: TaskState.RUNNING,
      ...partial,
    }),
  );

function fixture(): StoreFixture {
  const cluster = new StoreFixture();
  cluster.addNode("n1");
  cluster.addNetwork("net");
  cluster.addService("web", { ...published(8080) });
  cluster.addService("db", { task: { networks: [{ target: "net" }] } });
  return cluster;
}

describe("store: what it refuses", () => {
  const cases: readonly { name: string; changes: readonly Change[]; expected: string }[] = [
    {
      name: "a service name twice",
      changes: [createChange("service", serviceObject("other", { name: "web" }))],
      expected: "AlreadyExists: name conflicts with an existing object: service web already exists",
    },
    {
      name: "a service name in capitals, as one is without",
      changes: [createChange("service", serviceObject("other", { name: "Web" }))],
      expected: "AlreadyExists: name conflicts with an existing object: service Web already exists",
    },
    {
      name: "an id twice",
      changes: [createChange("service", serviceObject("web", { name: "new" }))],
      expected: "AlreadyExists: service new exists already",
    },
    {
      name: "a published port twice",
      changes: createServiceChanges("x", serviceSpec({ name: "x", ...published(8080) })),
      expected:
        "InvalidArgument: port '8080/tcp' is already in use by service 'web' (web) as an ingress port",
    },
    {
      name: "a version that is not the object's",
      changes: [updateChange("service", "web", { spec: serviceSpec() }, { ifVersion: 1 })],
      expected: "Aborted: update out of sequence",
    },
    {
      name: "an update of what is not there",
      changes: [updateChange("node", "n9", { description: undefined })],
      expected: "NotFound: node n9 not found",
    },
    {
      name: "a field that is fixed",
      changes: [updateChange("network", "net", { meta: undefined })],
      expected: "InvalidArgument: cannot update meta of network net",
    },
    {
      name: "a task of no service",
      changes: [task("t", { serviceId: "gone" })],
      expected: "NotFound: task t has no service gone",
    },
    {
      name: "a task of no revision",
      changes: [task("t", { revision: 7 })],
      expected: "NotFound: task t has no revision 7 of service web",
    },
    {
      name: "a task on no node",
      changes: [task("t", { nodeId: "n9" })],
      expected: "NotFound: task t has no node n9",
    },
    {
      name: "a task wanted in a state nobody can want",
      changes: [task("t", { desiredState: TaskState.FAILED })],
      expected: "InvalidArgument: task t cannot be wanted in state 704",
    },
    {
      name: "a service on no network",
      changes: createServiceChanges(
        "x",
        serviceSpec({ name: "x", task: { networks: [{ target: "gone" }] } }),
      ),
      expected: "NotFound: network gone not found",
    },
    {
      name: "the removal of a network in use",
      changes: [updateChange("network", "net", { pendingDelete: true })],
      expected: "FailedPrecondition: network net is in use by service db; remove the service first",
    },
    {
      name: "a service without a task spec",
      changes: [
        createChange("service", {
          ...serviceObject("x"),
          spec: { ...serviceSpec(), name: "x", task: undefined },
        }),
      ],
      expected: "InvalidArgument: service x has no spec.task",
    },
  ];
  for (const { name, changes, expected } of cases) {
    it(name, () => {
      const result = fixture().apply(...changes);
      expect(result.ok ? "" : `${result.code}: ${result.message}`).to.equal(expected);
    });
  }
});

describe("store: transactions", () => {
  it("that cannot be read are refused, not thrown", () => {
    const { store } = fixture();
    expect(store.apply(99, new Uint8Array([0x0a, 0xff]))).to.include({ ok: false });
    expect(store.view().index).to.equal(99);
  });

  it("leave nothing behind when one change is refused", () => {
    const cluster = fixture();
    const before = snapshotOf(cluster);
    const cursor = cluster.store.watch();
    const { ok } = cluster.apply(
      ...createServiceChanges("x", serviceSpec({ name: "x", ...published(9000) })),
      updateChange("service", "web", { spec: serviceSpec({ name: "renamed" }) }),
      removeChange("node", "n1"),
      removeChange("node", "n1"),
    );
    expect(ok).to.equal(false);
    expect(snapshotOf(cluster)).to.deep.equal(before);
    expect(cluster.view.services.byName("web")?.id).to.equal("web");
    expect(cluster.view.services.byPort("9000/tcp")).to.equal(undefined);
    expect(cursor.take()).to.deep.equal({ kind: "events", events: [] });
  });

  it("see their own earlier changes", () => {
    const cluster = fixture();
    const again = createServiceChanges("web2", serviceSpec({ name: "web", ...published(8080) }));
    cluster.must(removeChange("service", "web"), ...again);
    expect(cluster.view.services.byName("web")?.id).to.equal("web2");
  });

  it("pass over what is gone when asked to", () => {
    const cluster = fixture();
    cluster.must(
      updateChange("task", "gone", { desiredState: TaskState.SHUTDOWN }, { skipIfAbsent: true }),
      removeChange("task", "gone", { skipIfAbsent: true }),
    );
  });

  it("change only the fields they name", () => {
    const cluster = fixture();
    const status = { state: NodeState.DOWN, message: "lost", addr: "192.0.2.9" };
    cluster.must(updateChange("node", "n1", { status }));
    const node = cluster.view.nodes.get("n1");
    expect(node?.status).to.deep.equal(status);
    expect(node?.description?.hostname).to.equal("n1");
  });

  it("move the version when a spec moves and not otherwise", () => {
    const cluster = fixture();
    const version = () => cluster.view.services.get("web")?.meta.version;
    const first = version();
    cluster.must(updateChange("service", "web", { endpoint: undefined }));
    expect(version()).to.equal(first);
    const service = cluster.view.services.get("web");
    if (service === undefined) throw new Error("no service");
    cluster.must(
      ...updateServiceChanges(cluster.view, service, { ...service.spec, labels: { a: "b" } }),
    );
    expect(version()).to.be.greaterThan(first ?? 0);
  });

  it("free the name of a network that is going", () => {
    const cluster = new StoreFixture();
    cluster.addNetwork("net");
    const network = cluster.view.networks.byName("net");
    if (network === undefined) throw new Error("no network");
    cluster.must(...removeNetworkChanges(network));
    expect(cluster.view.networks.byName("net")).to.equal(undefined);
    expect(cluster.view.networks.get("net")?.pendingDelete).to.equal(true);
  });
});

describe("store: tasks only rise", () => {
  function running(): StoreFixture {
    const cluster = fixture();
    cluster.must(task("t", { nodeId: "n1", status: { state: TaskState.ASSIGNED } }));
    cluster.nowMs += 10;
    cluster.report({ id: "t" }, TaskState.RUNNING);
    return cluster;
  }
  const get = (cluster: StoreFixture) => cluster.view.tasks.get("t");

  it("a lower observed state is ignored", () => {
    const cluster = running();
    cluster.report({ id: "t" }, TaskState.STARTING);
    expect(get(cluster)?.status.state).to.equal(TaskState.RUNNING);
  });

  it("a state it cannot come to from where it is is ignored, and the rest of the transaction is not", () => {
    const cluster = running();
    const to = (state: TaskState) =>
      updateChange("task", "t", { status: { ...TASK_STATUS, timestampMs: cluster.nowMs, state } });
    const drain = { spec: NodeSpec.fromPartial({ labels: { seen: "yes" } }) };
    cluster.must(to(TaskState.REJECTED), updateChange("node", "n1", drain));
    expect(get(cluster)?.status.state).to.equal(TaskState.RUNNING);
    expect(cluster.view.nodes.get("n1")?.spec.labels).to.deep.equal({ seen: "yes" });
    cluster.must(to(TaskState.COMPLETE), to(TaskState.FAILED), to(TaskState.ORPHANED));
    expect(get(cluster)?.status.state).to.equal(TaskState.COMPLETE);
  });

  it("a lower desired state is ignored", () => {
    const cluster = running();
    cluster.must(updateChange("task", "t", { desiredState: TaskState.SHUTDOWN }));
    cluster.must(updateChange("task", "t", { desiredState: TaskState.RUNNING }));
    expect(get(cluster)?.desiredState).to.equal(TaskState.SHUTDOWN);
  });

  it("an earlier message of the same state is ignored", () => {
    const cluster = running();
    const state = TaskState.RUNNING;
    const late = { state, timestampMs: cluster.nowMs + 5, message: "late", err: "" };
    const early = { state, timestampMs: cluster.nowMs, message: "early", err: "" };
    cluster.must(updateChange("task", "t", { status: late }));
    cluster.must(updateChange("task", "t", { status: early }));
    expect(get(cluster)?.status.message).to.equal("late");
  });

  it("a node once chosen stays", () => {
    const cluster = running();
    cluster.addNode("n2");
    cluster.must(updateChange("task", "t", { nodeId: "n2" }));
    expect(get(cluster)?.nodeId).to.equal("n1");
  });

  it("when it ran is remembered by the manager's clock", () => {
    const cluster = running();
    const runningAtMs = cluster.nowMs;
    cluster.nowMs += 1000;
    cluster.report({ id: "t" }, TaskState.FAILED, "exit 1");
    expect(get(cluster)?.status).to.include({ runningAtMs, appliedAtMs: runningAtMs + 1000 });
  });
});

const TASK_STATUS = TaskStatus.create();

function snapshotOf(cluster: StoreFixture): unknown {
  const { services, revisions, tasks, nodes, networks } = cluster.view;
  return [services, revisions, tasks, nodes, networks].map((table) =>
    [...table.values()].map((object) => JSON.stringify(object)).sort(),
  );
}
