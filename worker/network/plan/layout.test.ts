import { assert } from "chai";
import { EndpointTable } from "../../../proto/gen/endpoints.ts";
import { parseCidr } from "../../../runtime/network/plan/cidr.ts";
import { LINK_NAME_CHARS_MAX, macOf } from "../../../runtime/network/plan/link-names.ts";
import type { SandboxSpec } from "../types.ts";
import {
  type Entry,
  entryKey,
  type FoundLayout,
  isEmpty,
  type Layout,
  planSteps,
} from "./layout.ts";
import { gatewayPortName, portName } from "./names.ts";
import { planOverlay } from "./overlay.ts";
import { planGateway, planInside } from "./sandbox-links.ts";

const NETWORK = "network0000000000000000aa";
const node = { nodeId: "n1", dataAddress: "192.168.1.1", dataPathPort: 4789 };

function sandbox(id: string, address: string): SandboxSpec {
  return {
    id,
    hostname: id,
    attachments: [{ networkId: NETWORK, addresses: [address], aliases: [] }],
    hostPorts: [],
    dns: { nameservers: [], search: [], options: [] },
  };
}

function table(options: { ingress?: boolean; mtu?: string } = {}): EndpointTable {
  const { ingress = false, mtu } = options;
  return EndpointTable.fromPartial({
    networkId: NETWORK,
    version: 1,
    network: {
      name: "app",
      vni: 4100,
      ingress,
      driverOptions: mtu === undefined ? {} : { "com.docker.network.driver.mtu": mtu },
    },
    endpoints: [
      { taskId: "a", nodeId: "n1", nodeAddr: "192.168.1.1", addresses: ["10.0.1.5"] },
      { taskId: "b", nodeId: "n2", nodeAddr: "192.168.1.2", addresses: ["10.0.1.6"] },
      { taskId: "c", nodeId: "n3", nodeAddr: "", addresses: ["10.0.1.7"] },
    ],
    nodes: [
      { nodeId: "n1", nodeAddr: "192.168.1.1", addresses: ["10.0.1.101"] },
      { nodeId: "n2", nodeAddr: "192.168.1.2", addresses: ["10.0.1.102"] },
    ],
  });
}

function plan(given = table(), sandboxes = [sandbox("a", "10.0.1.5/24")]): Layout {
  return planOverlay(given, { node, underlayMtu: 1500, sandboxes });
}

function show(entries: readonly Entry[]): string[] {
  return entries.map((entry) => `${entryKey(entry)} ${entry.value}`.trim());
}

/** What the kernel would list after the layout was made. */
function made(layout: Layout): FoundLayout {
  const bridge = layout.links[0]?.name ?? "";
  return {
    links: new Map(
      layout.links.map((link, at) => [
        link.name,
        {
          index: at + 2,
          name: link.name,
          kind: link.kind,
          mtu: link.mtu,
          bridge,
          up: true,
          vxlan: link.kind === "vxlan" ? link : undefined,
        },
      ]),
    ),
    entries: new Map(layout.entries.map((entry) => [entryKey(entry), entry])),
  };
}

describe("data plane: an overlay on one node", () => {
  it("is a bridge, a tunnel and a port for each sandbox", () => {
    const port = portName("a", NETWORK);
    const layout = plan();
    assert.deepEqual(
      layout.links.map((link) => `${link.kind} ${link.name} ${link.mtu}`),
      ["bridge br-network00000 1450", "vxlan vx-network00000 1450", `veth ${port} 1450`],
    );
    assert.deepEqual(show(layout.entries), [
      `port ${port} 02:42:0a:00:01:05`,
      "tunnel vx-network00000 02:42:0a:00:01:06 192.168.1.2",
      "arp vx-network00000 10.0.1.6 02:42:0a:00:01:06",
      "tunnel vx-network00000 02:42:0a:00:01:66 192.168.1.2",
      "arp vx-network00000 10.0.1.102 02:42:0a:00:01:66",
    ]);
  });

  it("is nothing where no sandbox is in it", () => {
    assert.deepEqual(plan(table(), []), { links: [], entries: [] });
  });

  it("the ingress network is on every node that has an address in it", () => {
    const layout = plan(table({ ingress: true }), []);
    const foot = layout.links.find((link) => link.kind === "veth");
    assert.deepInclude(foot, { name: "ingress" });
    assert.deepEqual(foot?.kind === "veth" ? foot.peer : undefined, {
      name: "muster-in",
      mac: "02:42:0a:00:01:65",
      index: 0,
      namespace: { kind: "host" },
    });
  });

  it("a local sandbox counts whatever an older table says of its address", () => {
    const layout = plan(table(), [sandbox("b", "10.0.1.6/24")]);
    assert.notInclude(show(layout.entries).join("\n"), "arp vx-network00000 10.0.1.6");
  });

  it("takes the MTU its creator asked for", () => {
    assert.equal(plan(table({ mtu: "1300" })).links[0]?.mtu, 1300);
  });
});

describe("data plane: from what is to what should be", () => {
  const wanted = plan();
  const port = portName("a", NETWORK);

  it("what is right is left alone", () => {
    assert.isTrue(isEmpty(planSteps(wanted, made(wanted))));
  });

  it("from nothing all is made", () => {
    const steps = planSteps(wanted, { links: new Map(), entries: new Map() });
    assert.deepEqual(steps.addLinks, wanted.links);
    assert.deepEqual(steps.putEntries, wanted.entries);
    assert.isEmpty(steps.deleteLinks);
  });

  it("to nothing all is removed, entries with their links", () => {
    const steps = planSteps({ links: [], entries: [] }, made(wanted));
    assert.lengthOf(steps.deleteLinks, 3);
    assert.isEmpty(steps.deleteEntries);
  });

  it("a stray port goes, a missing one comes", () => {
    const other = plan(table(), [sandbox("z", "10.0.1.9/24")]);
    const steps = planSteps(wanted, made(other));
    assert.deepEqual(
      steps.deleteLinks.map((link) => link.name),
      [portName("z", NETWORK)],
    );
    assert.deepEqual(
      steps.addLinks.map((link) => link.name),
      [port],
    );
  });

  it("an endpoint that moved is written over", () => {
    const found = made(wanted);
    const key = "tunnel vx-network00000 02:42:0a:00:01:06";
    const entries = new Map(found.entries);
    entries.set(key, {
      kind: "tunnel",
      link: "vx-network00000",
      key: "02:42:0a:00:01:06",
      value: "192.168.1.77",
    });
    const steps = planSteps(wanted, { ...found, entries });
    assert.deepEqual(show(steps.putEntries), [`${key} 192.168.1.2`]);
    assert.isEmpty(steps.deleteEntries);
  });

  it("an endpoint that is gone is deleted", () => {
    const found = made(wanted);
    const gone: Entry = { kind: "arp", link: "vx-network00000", key: "10.0.1.8", value: "x" };
    const entries = new Map([...found.entries, [entryKey(gone), gone] as const]);
    assert.deepEqual(planSteps(wanted, { ...found, entries }).deleteEntries, [gone]);
  });

  it("a tunnel to another port is made anew with all its entries", () => {
    const moved = planOverlay(table(), {
      node: { ...node, dataPathPort: 4790 },
      underlayMtu: 1500,
      sandboxes: [sandbox("a", "10.0.1.5/24")],
    });
    const steps = planSteps(moved, made(wanted));
    assert.deepEqual(
      steps.deleteLinks.map((link) => link.name),
      ["vx-network00000"],
    );
    assert.lengthOf(steps.putEntries, 4);
  });
});

describe("data plane: inside a sandbox", () => {
  const gateway = { subnet: parseCidr("172.20.0.0/16"), address: "172.20.0.1", mtu: 1500 };
  const spec = sandbox("a", "10.0.1.5/24");

  it("has its networks, then the way out", () => {
    assert.deepEqual(planInside({ spec, gatewayAddress: "172.20.0.9" }, gateway), {
      up: [1, 2, 3],
      addresses: [
        { index: 2, address: "10.0.1.5", prefixLength: 24 },
        { index: 3, address: "172.20.0.9", prefixLength: 16 },
      ],
      routes: [{ destination: "0.0.0.0", prefixLength: 0, gateway: "172.20.0.1", index: 3 }],
    });
  });

  it("has no default route without a way out", () => {
    assert.isEmpty(planInside({ spec, gatewayAddress: undefined }, gateway).routes);
    assert.lengthOf(planGateway([{ spec, gatewayAddress: undefined }], gateway).links, 1);
  });
});

describe("data plane: names", () => {
  it("fit the kernel and differ", () => {
    const names = Array.from({ length: 500 }, (_, at) => [
      portName(`task${at}`, NETWORK),
      gatewayPortName(`task${at}`),
    ]).flat();
    assert.equal(new Set(names).size, names.length);
    for (const name of names) assert.isAtMost(name.length, LINK_NAME_CHARS_MAX);
  });

  it("a MAC address says the IP address", () => {
    assert.equal(macOf("10.0.255.6"), "02:42:0a:00:ff:06");
  });
});
