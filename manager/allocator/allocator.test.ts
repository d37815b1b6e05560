import { expect } from "chai";
import { TaskState } from "../../proto/gen/objects.ts";
import { ControlFixture } from "../../test/support/control-fixture.ts";
import {
  nodeObject,
  type ServiceSpecInput,
  serviceSpec,
} from "../../test/support/store-fixture.ts";
import { createChange, updateChange } from "../store/changes.ts";
import {
  createServiceChanges,
  removeNetworkChanges,
  removeServiceChanges,
  updateServiceChanges,
} from "../store/service-changes.ts";
import { findSubnetConflict, ingressNetwork } from "./network-plan.ts";

function cluster(): ControlFixture {
  const fixture = new ControlFixture();
  fixture.addCluster();
  fixture.must(createChange("network", ingressNetwork("ingress")));
  fixture.addNode("n1");
  fixture.addNode("n2");
  fixture.settle();
  return fixture;
}

const network = (fixture: ControlFixture, id: string) => fixture.view.networks.get(id);
const service = (fixture: ControlFixture, id: string) => {
  const found = fixture.view.services.get(id);
  if (found === undefined) throw new Error(`no service ${id}`);
  return found;
};
const update = (fixture: ControlFixture, id: string, spec: ServiceSpecInput) => {
  const next = serviceSpec({ name: id, ...spec });
  fixture.must(...updateServiceChanges(fixture.view, service(fixture, id), next));
  fixture.settle();
};
const addresses = (fixture: ControlFixture, id: string) =>
  fixture.tasksOf(id).flatMap((task) => task.networks.flatMap((network) => network.addresses));
const publish = (publishedPort: number, targetPort = 80) => ({
  endpoint: { ports: [{ targetPort, publishedPort }] },
});
const on = (...targets: string[]) => ({
  task: { container: { image: "x" }, networks: targets.map((target) => ({ target })) },
});

describe("allocator: networks", () => {
  it("get the first free subnets and identifiers", () => {
    const fixture = cluster();
    fixture.addNetwork("a");
    fixture.addNetwork("b", { subnet: "10.0.2.0/24" });
    fixture.addNetwork("c");
    fixture.settle();
    const got = ["ingress", "a", "b", "c"].map((id) => {
      const { vni, ipam = [] } = network(fixture, id) ?? {};
      return [vni, ipam[0]?.subnet, ipam[0]?.gateway];
    });
    expect(got).to.deep.equal([
      [4096, "10.0.0.0/24", "10.0.0.1"],
      [4097, "10.0.1.0/24", "10.0.1.1"],
      [4098, "10.0.2.0/24", "10.0.2.1"],
      [4099, "10.0.3.0/24", "10.0.3.1"],
    ]);
  });

  it("that overlap others are named", () => {
    const fixture = cluster();
    const ipam = (subnet: string) => [{ subnet, gateway: "", ipRange: "" }];
    expect(findSubnetConflict(fixture.view, ipam("10.0.0.128/25"))).to.equal(
      "subnet 10.0.0.128/25 overlaps 10.0.0.0/24 of another network",
    );
    expect(findSubnetConflict(fixture.view, ipam("10.1.0.0/16"))).to.equal(undefined);
    expect(findSubnetConflict(fixture.view, ipam("nonsense"))).to.equal(
      "nonsense is no IPv4 subnet",
    );
  });

  it("keep their subnet until the last task on them has ended", () => {
    const fixture = cluster();
    fixture.addNetwork("a");
    fixture.addService("web", on("a"));
    fixture.work();
    const [task] = fixture.running("web");
    fixture.must(...removeServiceChanges(service(fixture, "web")));
    const a = network(fixture, "a");
    if (a === undefined || task === undefined) throw new Error("nothing there");
    fixture.must(...removeNetworkChanges(a));
    fixture.must(createChange("network", { ...a, id: "a2", vni: 0, ipam: [] }));
    fixture.settle();
    expect(network(fixture, "a2")?.ipam[0]?.subnet).to.equal("10.0.2.0/24");
    expect(network(fixture, "a")?.pendingDelete).to.equal(true);
    fixture.work();
    expect(network(fixture, "a")).to.equal(undefined);
  });
});

describe("allocator: addresses", () => {
  it("nodes get one on the ingress network, services a virtual one, tasks their own, all different", () => {
    const fixture = cluster();
    fixture.addNetwork("a");
    fixture.addService("web", { replicas: 3, ...on("a"), ...publish(8080) });
    fixture.work();
    const nodes = [...fixture.view.nodes.values()].flatMap(({ attachments }) => attachments);
    expect(nodes.map(({ networkId }) => networkId)).to.deep.equal(["ingress", "ingress"]);
    const vips = service(fixture, "web").endpoint?.virtualIps ?? [];
    expect(vips.map(({ networkId }) => networkId)).to.deep.equal(["a", "ingress"]);
    const all = [
      ...nodes.flatMap((node) => node.addresses),
      ...vips.map(({ address }) => address),
      ...addresses(fixture, "web"),
    ];
    expect(all.length).to.equal(2 + 2 + 6);
    expect(new Set(all).size).to.equal(all.length);
    expect(all.every((address) => /^10\.0\.[01]\.\d+\/24$/.test(address))).to.equal(true);
  });

  it("dnsrr services have no virtual one", () => {
    const fixture = cluster();
    fixture.addNetwork("a");
    fixture.addService("web", { ...on("a"), endpoint: { mode: 2 } });
    fixture.settle();
    expect(service(fixture, "web").endpoint?.virtualIps).to.deep.equal([]);
  });

  it("virtual ones stay across updates", () => {
    const fixture = cluster();
    fixture.addNetwork("a");
    fixture.addNetwork("b");
    fixture.addService("web", on("a"));
    fixture.settle();
    const before = service(fixture, "web").endpoint?.virtualIps[0];
    update(fixture, "web", on("b", "a"));
    const after = service(fixture, "web").endpoint?.virtualIps ?? [];
    expect(after.map(({ networkId }) => networkId)).to.deep.equal(["b", "a"]);
    expect(after[1]).to.deep.equal(before);
  });

  it("that run out are said to have, and given when some are freed", () => {
    const fixture = cluster();
    fixture.addNetwork("tiny", { subnet: "192.168.0.0/29" });
    fixture.addService("web", { replicas: 6, ...on("tiny") });
    fixture.work();
    // Of eight: network, gateway, broadcast and the virtual address are not for tasks.
    expect(fixture.running("web").length).to.equal(4);
    const waiting = fixture.tasksOf("web").filter((task) => task.status.state === TaskState.NEW);
    expect(waiting.map((task) => task.status.err)).to.deep.equal(
      Array(2).fill(
        "cannot give the task its addresses: no free address on network tiny (192.168.0.0/29)",
      ),
    );
    update(fixture, "web", { replicas: 4, ...on("tiny") });
    fixture.work();
    fixture.addService("db", on("tiny"));
    fixture.settle();
    expect(fixture.tasksOf("db")[0]?.status.err).to.contain("no free address on network tiny");
    update(fixture, "web", { replicas: 1, ...on("tiny") });
    fixture.work();
    expect(fixture.running("db").length).to.equal(1);
  });
});

describe("allocator: published ports", () => {
  it("left open are chosen from 30000 on, and kept", () => {
    const fixture = cluster();
    fixture.addService("a", publish(0));
    fixture.addService("b", publish(30_001));
    fixture.addService("c", publish(0));
    fixture.settle();
    const port = (id: string) => service(fixture, id).endpoint?.ports[0]?.publishedPort;
    expect([port("a"), port("b"), port("c")]).to.deep.equal([30_000, 30_001, 30_002]);
    update(fixture, "a", { ...publish(0), labels: { x: "y" } });
    expect(port("a")).to.equal(30_000);
    const clash = fixture.apply(
      ...createServiceChanges("d", serviceSpec({ name: "d", ...publish(30_000) })),
    );
    expect(clash.ok).to.equal(false);
  });

  it("are not chosen where a manager listens", () => {
    const fixture = cluster();
    const manager = { raftId: 1, addr: "192.0.2.9:30000" };
    fixture.must(createChange("node", { ...nodeObject("m1"), manager }));
    fixture.addService("a", publish(0));
    fixture.settle();
    expect(service(fixture, "a").endpoint?.ports[0]?.publishedPort).to.equal(30_001);
  });

  it("are free for others as soon as the spec has them no more", () => {
    const fixture = cluster();
    fixture.addService("a", publish(80));
    fixture.settle();
    update(fixture, "a", {});
    fixture.addService("b", publish(80));
    fixture.settle();
    expect(fixture.view.services.byPort("80/tcp")?.id).to.equal("b");
  });

  it("need an ingress network, and wait for it", () => {
    const fixture = new ControlFixture();
    fixture.addCluster();
    fixture.addNode("n1");
    fixture.addService("web", publish(80));
    fixture.work();
    expect(fixture.tasksOf("web")[0]?.status.err).to.equal(
      "cannot give the task its addresses: there is no ingress network to publish ports on",
    );
    fixture.must(createChange("network", ingressNetwork("ingress")));
    fixture.work();
    expect(fixture.running("web").length).to.equal(1);
  });
});

describe("allocator: when nobody confirms", () => {
  it("an address stays taken while its node is silent", () => {
    const fixture = cluster();
    fixture.addNetwork("a");
    fixture.addService("web", on("a"));
    fixture.work();
    const [lost] = fixture.running("web");
    if (lost === undefined) throw new Error("nothing runs");
    const status = { state: 1 as const, message: "silent", addr: "" };
    fixture.must(updateChange("node", lost.nodeId, { status }));
    for (let i = 0; i < 300; i++) {
      update(fixture, "web", { replicas: 1 + (i % 2), ...on("a") });
      fixture.work((task) => task.nodeId !== lost.nodeId);
    }
    const holders = fixture.tasksOf("web").filter((task) => task.status.state <= TaskState.RUNNING);
    const all = holders.flatMap((task) => task.networks.flatMap(({ addresses: own }) => own));
    expect(new Set(all).size).to.equal(all.length);
    expect(holders.some((task) => task.id === lost.id)).to.equal(true);
  });
});
