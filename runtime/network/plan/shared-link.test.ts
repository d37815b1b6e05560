import { assert } from "chai";
import { LINK_NAME_CHARS_MAX } from "./link-names.ts";
import { findSharedLink, isolatedLinkName, parseVlan, type SharedLink } from "./shared-link.ts";

const MACVLAN: SharedLink = {
  ...{ kind: "macvlan", parent: "eth0", mode: 4, flag: 0 },
  ...{ mtu: undefined, isRouted: false },
};
const IPVLAN: SharedLink = { ...MACVLAN, kind: "ipvlan", mode: 0 };

describe("local networks: what containers share", () => {
  const CASES: readonly [string, Record<string, string>, SharedLink | undefined][] = [
    ["bridge", { parent: "eth0" }, undefined],
    ["macvlan", { parent: "eth0" }, MACVLAN],
    ["macvlan", { parent: "eth0", macvlan_mode: "private" }, { ...MACVLAN, mode: 1 }],
    ["macvlan", { parent: "eth0", macvlan_mode: "passthru" }, { ...MACVLAN, mode: 8 }],
    [
      "macvlan",
      { parent: "eth0", "com.docker.network.driver.mtu": "1400" },
      { ...MACVLAN, mtu: 1400 },
    ],
    ["macvlan", {}, { ...MACVLAN, parent: "" }],
    ["ipvlan", { parent: "eth0" }, IPVLAN],
    ["ipvlan", { parent: "eth0", ipvlan_mode: "l3" }, { ...IPVLAN, mode: 1, isRouted: true }],
    [
      "ipvlan",
      { parent: "eth0", ipvlan_mode: "l3s", ipvlan_flag: "vepa" },
      { ...IPVLAN, mode: 2, flag: 2, isRouted: true },
    ],
  ];
  for (const [driver, options, expected] of CASES)
    it(`${driver} ${JSON.stringify(options)}`, () => {
      const network = { driver: driver as "macvlan", options, internal: false };
      assert.deepEqual(findSharedLink(network), expected);
    });

  const VLANS: readonly [string, ReturnType<typeof parseVlan>][] = [
    ["eth0.10", { link: "eth0", id: 10 }],
    ["bond-1.4094", { link: "bond-1", id: 4094 }],
    ["eth0", undefined],
    ["eth0.0", undefined],
    ["eth0.4095", undefined],
    ["eth0.x", undefined],
    ["eth0.1.2", undefined],
  ];
  for (const [name, expected] of VLANS)
    it(`the VLAN of ${name}`, () => assert.deepEqual(parseVlan(name), expected));

  it("a link that leads nowhere has a name of its own that the kernel takes", () => {
    const names = ["a", "b"].map((id) => isolatedLinkName("/var/lib/muster", id.repeat(64)));
    assert.notEqual(names[0], names[1]);
    assert.isAtMost(Math.max(...names.map(({ length }) => length)), LINK_NAME_CHARS_MAX);
  });
});
