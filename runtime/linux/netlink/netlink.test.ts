import { assert } from "chai";
import { addressBytes, ipv4Bytes, macBytes } from "./address.ts";
import { decodeFlow, deleteFlow, type Flow } from "./conntrack.ts";
import {
  addBridge,
  addIpvlan,
  addMacvlan,
  addVeth,
  addVlan,
  addVxlan,
  decodeLink,
} from "./link.ts";
import {
  attribute,
  decodeAttributes,
  decodeMessages,
  encodeMessage,
  Flag,
  type Request,
  readText,
  text,
  u8,
  u32,
} from "./message.ts";
import { decodeNeighbour, type Neighbour, putNeighbour } from "./neighbour.ts";
import { addAddress, addRoute, decodeAddress, decodeRoute } from "./route.ts";

/** The message as the kernel would get it, read back. */
function echoed(request: Request) {
  const [message] = decodeMessages(encodeMessage(request, 7));
  if (message === undefined) throw new Error("no message");
  return message;
}

describe("netlink: messages", () => {
  it("have a header, and attributes padded to four bytes", () => {
    const request: Request = { type: 16, flags: Flag.Ack, body: text(3, "ab"), action: "test" };
    assert.equal(
      encodeMessage(request, 7).toString("hex"),
      // length 24, type 16, flags 5, sequence 7, port 0; attribute of 7 bytes, type 3, "ab\0", padding
      ["18000000", "1000", "0500", "07000000", "00000000", "0700", "0300", "61620000"].join(""),
    );
  });

  it("are found one after the other in a datagram", () => {
    const request: Request = { type: 20, flags: 0, body: u8(1, 9), action: "test" };
    const datagram = Buffer.concat([encodeMessage(request, 1), encodeMessage(request, 2)]);
    assert.deepEqual(
      decodeMessages(datagram).map((message) => message.sequence),
      [1, 2],
    );
  });

  it("that claim more than there is are refused", () => {
    const datagram = encodeMessage({ type: 20, flags: 0, body: u8(1, 9), action: "test" }, 1);
    datagram.writeUInt32LE(400, 0);
    assert.throws(() => decodeMessages(datagram), RangeError);
    const body = attribute(1, Buffer.alloc(8));
    body.writeUInt16LE(60, 0);
    assert.throws(() => decodeAttributes(body), RangeError);
  });

  it("attributes are read by type, nested ones too", () => {
    const attributes = decodeAttributes(Buffer.concat([text(3, "eth0"), u32(4, 1450)]));
    assert.equal(readText(attributes.get(3)), "eth0");
    assert.equal(attributes.get(4)?.readUInt32LE(), 1450);
  });
});

describe("netlink: objects come back as they were written", () => {
  it("bridge", () => {
    const spec = { name: "brabc", index: 5, mtu: 1450, mac: "02:42:0a:00:00:01" };
    assert.deepEqual(decodeLink(echoed(addBridge(spec))), {
      ...spec,
      kind: "bridge",
      master: 0,
      up: true,
      vxlan: undefined,
    });
  });

  it("tunnel", () => {
    const vxlan = { vni: 4100, local: "192.168.1.1", port: 4789 };
    const spec = { name: "vxabc", index: 5, mtu: 1450, netnsFd: 9, ...vxlan };
    const link = decodeLink(echoed(addVxlan(spec)));
    assert.deepEqual(link.vxlan, vxlan);
  });

  it("veth, whose peer is described inside", () => {
    const peer = { name: "eth0", index: 2, mac: "02:42:0a:00:00:05", netnsFd: 20 };
    const link = decodeLink(echoed(addVeth({ name: "vabc", index: 6, mtu: 1450, peer })));
    assert.include(link, { name: "vabc", kind: "veth", index: 6, mtu: 1450, master: 0 });
    const port = addVeth({ name: "vabc", index: 0, mtu: 1450, master: 9, peer });
    assert.include(decodeLink(echoed(port)), { name: "vabc", master: 9 });
  });

  it("links that share another, as iproute2 describes them", () => {
    const spec = { name: "x0", parent: 3, mtu: undefined, netnsFd: 9 };
    const kinds: [Request, string, string][] = [
      [addIpvlan({ ...spec, mode: 1, flag: 1 }), "ipvlan", "06000100010000000600020001000000"],
      [addIpvlan({ ...spec, mode: 0, flag: 0 }), "ipvlan", "0600010000000000"],
      [addVlan({ name: "d0.10", parent: 3, id: 10 }), "vlan", "060001000a000000"],
      [addMacvlan({ ...spec, mode: 4, mac: "02:42:0a:00:00:05" }), "macvlan", "0800010004000000"],
    ];
    for (const [request, kind, data] of kinds) {
      const message = echoed(request);
      assert.equal(decodeLink(message).kind, kind);
      const info = decodeAttributes(message.body, 16).get(18) ?? Buffer.alloc(0);
      assert.equal(decodeAttributes(info).get(2)?.toString("hex"), data);
    }
  });

  const neighbours: Neighbour[] = [
    { kind: "tunnel", index: 7, mac: "02:42:0a:00:00:06", node: "192.168.1.2" },
    { kind: "arp", index: 7, mac: "02:42:0a:00:00:06", address: "10.0.0.6" },
  ];
  for (const entry of neighbours)
    it(`${entry.kind} entry`, () => {
      const message = echoed(putNeighbour(entry));
      // The kernel gives the state without the "no ARP" that is written with tunnel entries.
      assert.deepEqual(decodeNeighbour(message), entry);
    });

  it("address and route", () => {
    const address = { index: 2, address: "10.0.0.5", prefixLength: 24 };
    assert.deepEqual(decodeAddress(echoed(addAddress(address))), address);
    const route = { destination: "0.0.0.0", prefixLength: 0, gateway: "10.0.0.1", index: 2 };
    assert.deepEqual(decodeRoute(echoed(addRoute(route))), route);
  });

  it("an address has the broadcast address of its subnet", () => {
    const request = addAddress({ index: 2, address: "172.20.3.4", prefixLength: 20 });
    const broadcast = decodeAttributes(Buffer.from(request.body), 8).get(4);
    assert.deepEqual([...(broadcast ?? [])], [172, 20, 15, 255]);
  });

  it("the key of a flow", () => {
    const ip = attribute(
      1,
      Buffer.concat([attribute(1, ipv4Bytes("10.0.0.5")), attribute(2, ipv4Bytes("10.0.0.9"))]),
    );
    const key = Buffer.concat([
      ip,
      attribute(2, Buffer.concat([u8(1, 17), attribute(3, Buffer.from([0, 53]))])),
    ]);
    const flow: Flow = {
      protocol: 17,
      destination: "10.0.0.9",
      destinationPort: 53,
      answeredBy: "",
      family: "ip",
      key,
    };
    assert.deepEqual(decodeFlow(echoed(deleteFlow(flow))), flow);
    const six: Flow = { ...flow, destination: "fd00::9", family: "ip6", key: ipv6FlowKey() };
    assert.deepEqual(decodeFlow(echoed(deleteFlow(six))), six);
  });
});

describe("netlink: addresses", () => {
  for (const wrong of ["10.0.0", "10.0.0.256", "10.0.0.1/24", "a.b.c.d", "", "1.2.3.4.5"])
    it(`refuses the IPv4 address "${wrong}"`, () => {
      assert.throws(() => ipv4Bytes(wrong), RangeError);
    });
  it("refuses a MAC address that is none", () => {
    assert.throws(() => macBytes("02:42:0a:00:01"), RangeError);
  });
});

/** Of UDP to port 53 of fd00::9. */
function ipv6FlowKey(): Buffer {
  const addresses = ["fd00::5", "fd00::9"].map((one, at) => attribute(3 + at, addressBytes(one)));
  const protocol = Buffer.concat([u8(1, 17), attribute(3, Buffer.from([0, 53]))]);
  return Buffer.concat([attribute(1, Buffer.concat(addresses)), attribute(2, protocol)]);
}
