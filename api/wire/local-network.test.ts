import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import type { LocalNetworkFacts } from "../backends/networks.ts";
import type { Filters } from "../http/filters.ts";
import { findByPrefix, findExact } from "../networks/find-network.ts";
import { filterLocalNetworks, readLocalNetwork, writeLocalNetwork } from "./local-network.ts";

const POOL = { ipRange: "", reserved: {}, isChosen: true };
const APP: LocalNetworkFacts = {
  ...{ id: "ab12", name: "app", createdAtMs: 1000, driver: "bridge" },
  ipv4: { ...POOL, subnet: "10.1.0.0/16", gateway: "10.1.0.1" },
  ipv6: { ...POOL, subnet: "fd00::/64", gateway: "fd00::1" },
  ...{ internal: true, attachable: false, labels: { team: "a" }, options: { o: "1" } },
  ...{ hasIpv6: true, configOnly: false, configFrom: "" },
  endpoints: [
    {
      ...{ containerId: "c1", containerName: "web", id: "e1", mac: "02:42:0a:01:00:02" },
      ...{ ipv4: "10.1.0.2/16", ipv6: "fd00::2/64" },
    },
  ],
};
const IDLE = { ...APP, id: "ab34", name: "idle", labels: {}, endpoints: [] };
const BRIDGE = { ...IDLE, id: "cd56", name: "bridge" };
const NONE = {
  ...IDLE,
  id: "ef78",
  name: "none",
  driver: "null",
  ipv4: undefined,
  ipv6: undefined,
};

describe("wire: a network of one machine", () => {
  it("is read from what Debian's command line sends", () => {
    const creation = readLocalNetwork({
      CheckDuplicate: true,
      Name: "app",
      Driver: "bridge",
      Scope: "",
      EnableIPv6: false,
      IPAM: {
        Driver: "default",
        Options: {},
        Config: [
          {
            Subnet: "10.1.0.0/16",
            Gateway: "10.1.0.1",
            AuxiliaryAddresses: { a: "10.1.0.9" },
          },
        ],
      },
      Internal: true,
      Attachable: false,
      Ingress: false,
      ConfigOnly: false,
      ConfigFrom: { Network: "" },
      Options: {},
      Labels: { l: "" },
    });
    expect(creation).to.deep.equal({
      ...{ name: "app", driver: "bridge", internal: true, attachable: false, ipv6: false },
      pools: [
        {
          ...{ subnet: "10.1.0.0/16", gateway: "10.1.0.1", ipRange: "" },
          reserved: { a: "10.1.0.9" },
        },
      ],
      ...{ labels: { l: "" }, options: {}, configOnly: false, configFrom: "" },
    });
  });

  const BAD: readonly [object, RegExp][] = [
    [{ ConfigOnly: "yes" }, /must be/],
    [{ ConfigFrom: { Network: 7 } }, /must be a string/],
    [{ EnableIPv4: false }, /IPv4 cannot be disabled/],
    [{ IPAM: { Driver: "weave" } }, /plugin "weave" not found/],
    [{ IPAM: { Options: { a: "b" } } }, /Options is not supported/],
    [{ IPAM: { Config: {} } }, /must be a list/],
    [{ Labels: { a: 1 } }, /must be a string/],
    [{ Name: 7 }, /must be a string/],
  ];
  for (const [body, words] of BAD)
    it(`refuses ${JSON.stringify(body)}`, () => {
      expect(() => readLocalNetwork(body)).to.throw(ClusterError, words);
    });

  it("is shown with its containers where it is asked for alone", () => {
    const shown = writeLocalNetwork(APP, { detail: true });
    expect(shown).to.deep.include({
      ...{ Name: "app", Scope: "local", Driver: "bridge", EnableIPv6: true, Internal: true },
      IPAM: {
        Driver: "default",
        Options: {},
        Config: [
          { Subnet: "10.1.0.0/16", Gateway: "10.1.0.1" },
          { Subnet: "fd00::/64", Gateway: "fd00::1" },
        ],
      },
      Containers: {
        c1: {
          ...{ Name: "web", EndpointID: "e1", MacAddress: "02:42:0a:01:00:02" },
          ...{ IPv4Address: "10.1.0.2/16", IPv6Address: "fd00::2/64" },
        },
      },
    });
    expect(writeLocalNetwork(APP, { detail: false }).Containers).to.deep.equal({});
    expect(writeLocalNetwork(NONE, { detail: true })).to.deep.include({ Driver: "null" });
    const taken = writeLocalNetwork({ ...APP, configFrom: "cfg" }, { detail: false });
    expect(taken).to.deep.include({ ConfigFrom: { Network: "cfg" }, ConfigOnly: false });
  });

  const FILTERS: readonly [Filters, string][] = [
    [{}, "app idle bridge none"],
    [{ name: ["app"] }, "app"],
    [{ name: ["^id", "one"] }, "idle none"],
    [{ id: ["ab"] }, "app idle"],
    [{ driver: ["null"] }, "none"],
    [{ scope: ["swarm"] }, ""],
    [{ scope: ["local"], type: ["builtin"] }, "bridge none"],
    [{ type: ["custom"] }, "app idle"],
    [{ label: ["team"] }, "app"],
    [{ label: ["team=b"] }, ""],
    [{ dangling: ["true"] }, "idle"],
    [{ dangling: ["false"] }, "app bridge none"],
  ];
  for (const [filters, expected] of FILTERS)
    it(`of ${JSON.stringify(filters)}: ${expected}`, () => {
      const found = filterLocalNetworks([APP, IDLE, BRIDGE, NONE], filters);
      expect(found.map(({ name }) => name).join(" ")).to.equal(expected);
    });
  for (const filters of [{ type: ["x"] }, { dangling: ["maybe"] }])
    it(`refuses ${JSON.stringify(filters)}`, () => {
      expect(() => filterLocalNetworks([], filters)).to.throw(ClusterError, /invalid filter/);
    });

  it("is found by its id before a name that looks like one, and by the beginning of its id", () => {
    const named = { ...IDLE, id: "99", name: "ab12" };
    expect(findExact([named, APP], "ab12")).to.equal(APP);
    expect(findByPrefix([APP, BRIDGE], "ab")).to.equal(APP);
    expect(() => findByPrefix([APP, IDLE], "ab")).to.throw("network ab is ambiguous (2 matches");
    expect(() => findByPrefix([APP], "zz")).to.throw("network zz not found");
    expect(() => findByPrefix([APP], "")).to.throw("not found");
  });
});
