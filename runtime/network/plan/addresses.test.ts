import { assert } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import { formatIp, parseIp } from "../../../core/ip.ts";
import { type EndpointConfig, type Pool, plainEndpoint } from "../types.ts";
import { checkEndpointConfig, chooseAddress } from "./addresses.ts";
import { planEndpoint } from "./new-endpoint.ts";
import type { NetworkCreation } from "./new-network.ts";
import { planNetwork } from "./new-network.ts";

const numberOf = (address: string) => parseIp(address)?.number ?? 0n;

function pool(subnet: string, more: Partial<Pool> = {}): Pool {
  return { subnet, gateway: "", ipRange: "", reserved: {}, isChosen: true, ...more };
}

describe("local networks: addresses", () => {
  const CASES: readonly [string, string, number, string | undefined][] = [
    ["the first is the gateway's neighbour", "1", 0, "10.1.0.2"],
    ["goes on after the last one given", "1", 3, "10.1.0.4"],
    ["passes over those taken", "1 4 5", 3, "10.1.0.6"],
    ["begins again at the end", "1", 6, "10.1.0.2"],
    ["never the broadcast address", "1 2 3 4 5", 5, "10.1.0.6"],
    ["none when all are taken", "1 2 3 4 5 6", 2, undefined],
    ["the last given may be another subnet's", "1", -9, "10.1.0.2"],
  ];
  for (const [name, taken, after, expected] of CASES)
    it(name, () => {
      const addresses = new Set(taken.split(" ").map((end) => `10.1.0.${end}`));
      const last = numberOf("10.1.0.0") + BigInt(after);
      assert.equal(chooseAddress(pool("10.1.0.0/29"), addresses, last), expected);
    });

  const RANGES: readonly [string, string, string, string | undefined][] = [
    ["10.1.0.0/16", "10.1.5.0/30", "10.1.5.0", "10.1.5.1"],
    ["10.1.0.0/16", "10.1.5.0/30", "10.1.5.3", "10.1.5.0"],
    ["10.1.0.0/24", "10.1.0.252/30", "10.1.0.254", "10.1.0.252"],
    ["10.1.0.0/24", "10.1.0.0/30", "10.1.0.3", "10.1.0.1"],
    ["fd00::/64", "", "::", "fd00::1"],
    ["fd00::/126", "", "fd00::2", "fd00::3"],
    ["fd00::/64", "fd00::ff00/120", "fd00::ffff", "fd00::ff00"],
  ];
  for (const [subnet, ipRange, after, expected] of RANGES)
    it(`after ${after} in ${ipRange || "all"} of ${subnet} comes ${expected}`, () => {
      assert.equal(chooseAddress(pool(subnet, { ipRange }), new Set(), numberOf(after)), expected);
    });
});

const CREATION: NetworkCreation = {
  name: "app",
  driver: "",
  internal: false,
  attachable: false,
  ipv6: false,
  pools: [
    { subnet: "10.9.0.0/24", gateway: "", ipRange: "10.9.0.128/25", reserved: { r: "10.9.0.128" } },
  ],
  labels: {},
  options: {},
  configOnly: false,
  configFrom: "",
};
const FACTS = { taken: [], seed: "0123456789abcdef0123456789abcdef" };
const network = (more: Partial<NetworkCreation> = {}) => ({
  ...planNetwork({ ...CREATION, ...more }, [], FACTS),
  ...{ id: "n", createdAtMs: 0 },
});
const asking = (more: Partial<EndpointConfig>) => ({ ...plainEndpoint("app"), ...more });

describe("local networks: endpoints", () => {
  const parts = (taken: readonly string[] = []) => ({
    id: "e".repeat(64),
    portSeed: "0123456789abcdef",
    taken: new Set(taken),
    lastIpv4: 0n,
    lastIpv6: 0n,
    interfaces: new Set(["eth0"]),
  });

  it("have an address of the range, a gateway, and the next free interface", () => {
    const endpoint = planEndpoint(network(), asking({ aliases: ["db"] }), parts(["10.9.0.128"]));
    assert.deepInclude(endpoint, {
      address: "10.9.0.129",
      prefixLength: 24,
      gateway: "10.9.0.1",
      mac: "02:42:0a:09:00:81",
      interface: "eth1",
      aliases: ["db"],
    });
  });

  it("have what was asked for, unless somebody has it", () => {
    const wanted = asking({ ipv4: "10.9.0.7", mac: "02:00:00:00:00:01" });
    const endpoint = planEndpoint(network(), wanted, parts());
    assert.deepInclude(endpoint, { address: "10.9.0.7", mac: "02:00:00:00:00:01" });
    assert.throws(
      () => planEndpoint(network(), wanted, parts(["10.9.0.7"])),
      ClusterError,
      "Address already in use",
    );
  });

  it("of an internal network have no gateway", () => {
    assert.equal(planEndpoint(network({ internal: true }), asking({}), parts()).gateway, "");
  });

  const BAD: readonly [string, Partial<EndpointConfig>, RegExp][] = [
    ["outside of the subnet", { ipv4: "10.8.0.1" }, /no configured subnet or ip-range contain/],
    ["no address", { ipv4: "ten" }, /invalid IPv4 address: ten/],
    ["of the other family", { ipv4: "fd00::1" }, /invalid IPv4 address/],
    [
      "IPv6 where there is none",
      { ipv6: "fd00::1" },
      /only when connecting to networks with user configured/,
    ],
  ];
  for (const [name, asked, words] of BAD)
    it(`refuse an address that is ${name}`, () => {
      assert.throws(() => checkEndpointConfig(network(), asking(asked)), ClusterError, words);
    });

  it("refuse an address in a subnet that nobody chose", () => {
    const address = formatIp({ family: 4, number: numberOf("172.26.0.9") });
    assert.throws(
      () => checkEndpointConfig(network({ pools: [] }), asking({ ipv4: address })),
      /only when connecting to networks with user configured subnets/,
    );
  });

  it("refuse addresses and aliases in the default network", () => {
    const bridge = { ...network(), name: "bridge" };
    assert.throws(() => checkEndpointConfig(bridge, asking({ ipv4: "10.9.0.3" })), /user defined/);
    assert.throws(() => checkEndpointConfig(bridge, asking({ aliases: ["a"] })), /user-defined/);
  });
});
