import { assert } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import type { Endpoint, LocalNetwork } from "../types.ts";
import { readBridgeOptions, unknownOptions } from "./bridge-options.ts";
import { parseCidr } from "./cidr.ts";
import { checkNoneDepends } from "./config-network.ts";
import { chooseGateway } from "./gateway-choice.ts";
import { type NetworkCreation, planNetwork } from "./new-network.ts";
import type { PoolRequest } from "./pools.ts";
import { isIsolated } from "./shared-link.ts";

const FACTS = { taken: [], seed: "0123456789abcdef0123456789abcdef" };
const CREATION: NetworkCreation = {
  ...{ name: "app", driver: "", internal: false, attachable: false, ipv6: false },
  ...{ pools: [], labels: {}, options: {}, configOnly: false, configFrom: "" },
};
const plan = (more: Partial<NetworkCreation>, known: readonly NetworkCreation[] = []) =>
  planNetwork(
    { ...CREATION, ...more },
    known.map((one) => ({ ...planNetwork(one, [], FACTS), id: one.name, createdAtMs: 0 })),
    FACTS,
  );
const pool = (more: Partial<PoolRequest>) => ({
  pools: [{ subnet: "10.1.0.0/16", gateway: "", ipRange: "", reserved: {}, ...more }],
});
const refuses = (
  more: Partial<NetworkCreation>,
  code: string,
  words: string,
  known: NetworkCreation[] = [],
) => {
  try {
    plan(more, known);
  } catch (error) {
    assert.instanceOf(error, ClusterError);
    assert.include((error as ClusterError).message, words);
    assert.equal((error as ClusterError).code, code);
    return;
  }
  assert.fail(`took ${JSON.stringify(more)}`);
};

describe("local networks: what a new one is", () => {
  it("has a subnet that nothing uses, and its first address as gateway", () => {
    const { driver, ipv4 } = planNetwork(CREATION, [], {
      ...FACTS,
      taken: [parseCidr("172.26.0.0/16")],
    });
    assert.equal(driver, "bridge");
    assert.deepInclude(ipv4, { subnet: "172.27.0.0/16", gateway: "172.27.0.1", isChosen: false });
  });

  it("has an IPv6 subnet of its own when it is to have IPv6", () => {
    assert.equal(plan({}).ipv6, undefined);
    assert.deepInclude(plan({ ipv6: true }).ipv6, {
      subnet: "fd01:2345:6789:abcd::/64",
      gateway: "fd01:2345:6789:abcd::1",
    });
    const asked = { ...pool({ subnet: "fd00:7::/64" }), ipv6: true };
    assert.deepInclude(plan(asked).ipv6, { subnet: "fd00:7::/64", isChosen: true });
    refuses(pool({ subnet: "fd00:7::/64" }), "InvalidArgument", "IPv6 is not enabled");
  });

  it("does not take the subnet of another", () => {
    assert.equal(plan({}, [{ ...CREATION, name: "first" }]).ipv4?.subnet, "172.27.0.0/16");
  });

  it("has the addresses that were asked for", () => {
    const asked = pool({
      gateway: "10.1.9.9",
      ipRange: "10.1.5.0/24",
      reserved: { a: "10.1.0.7" },
    });
    assert.deepEqual(plan(asked).ipv4, {
      ...{ subnet: "10.1.0.0/16", gateway: "10.1.9.9", ipRange: "10.1.5.0/24" },
      ...{ reserved: { a: "10.1.0.7" }, isChosen: true },
    });
  });

  const BAD_POOLS: readonly [Partial<PoolRequest>, string][] = [
    [{ subnet: "10.1.0.0" }, "invalid subnet 10.1.0.0: invalid CIDR block notation"],
    [{ subnet: "10.1.0.5/16" }, "invalid subnet 10.1.0.5/16: it should be 10.1.0.0/16"],
    [{ subnet: "10.1.0.0/31" }, "no room"],
    [{ subnet: "", gateway: "10.1.0.1" }, "invalid subnet "],
    [
      { gateway: "10.2.0.1" },
      "invalid gateway 10.2.0.1: parent subnet 10.1.0.0/16 doesn't contain this address",
    ],
    [{ gateway: "fd00::1" }, "invalid gateway fd00::1: parent subnet is an IPv4 block"],
    [{ gateway: "x" }, "invalid gateway x: invalid address"],
    [
      { ipRange: "10.2.0.0/24" },
      "invalid ip-range 10.2.0.0/24: parent subnet 10.1.0.0/16 doesn't contain ip-range",
    ],
    [{ ipRange: "10.0.0.0/8" }, "CIDR block is bigger than its parent subnet"],
    [{ ipRange: "10.1.5.1/24" }, "invalid ip-range 10.1.5.1/24: it should be 10.1.5.0/24"],
    [{ reserved: { a: "10.9.0.1" } }, "invalid auxiliary address 10.9.0.1"],
  ];
  for (const [asked, words] of BAD_POOLS)
    it(`refuses ${JSON.stringify(asked)}`, () => {
      refuses(pool(asked), "InvalidArgument", words);
    });

  it("refuses what overlaps with another network", () => {
    const known = [{ ...CREATION, name: "first", ...pool({}) }];
    const words = "Pool overlaps with other one on this address space";
    refuses(pool({ subnet: "10.1.128.0/24" }), "PermissionDenied", words, known);
    assert.equal(plan(pool({ subnet: "10.2.0.0/24" }), known).ipv4?.subnet, "10.2.0.0/24");
  });

  const LINK = { options: { "com.docker.network.bridge.name": "br9" } };
  const BAD: readonly [Partial<NetworkCreation>, string, string][] = [
    [{ name: "" }, "InvalidArgument", "invalid name: name is empty"],
    [{ name: "a/b" }, "InvalidArgument", "invalid name"],
    [{ name: "n".repeat(129) }, "InvalidArgument", "invalid name"],
    [{ name: "bridge" }, "PermissionDenied", "not permitted on predefined bridge network"],
    [{ name: "first" }, "AlreadyExists", "network with name first already exists"],
    [{ driver: "host" }, "PermissionDenied", 'only one instance of "host" network is allowed'],
    [{ driver: "weave" }, "NotFound", 'plugin "weave" not found'],
    [LINK, "PermissionDenied", "bridge br9 is that of first"],
    [
      { options: { "com.docker.network.bridge.enable_icc": "no" } },
      "InvalidArgument",
      "enable_icc",
    ],
  ];
  for (const [asked, code, words] of BAD)
    it(`refuses ${JSON.stringify(asked).slice(0, 60)}`, () => {
      refuses(asked, code, words, [{ ...CREATION, name: "first", ...LINK }]);
    });
});

describe("local networks: settings for others", () => {
  const CONFIG: NetworkCreation = {
    ...{ ...CREATION, name: "cfg", configOnly: true, ipv6: true },
    ...{ ...pool({}), labels: { team: "a" }, options: { parent: "eth0" } },
  };

  it("are held by a network that is none, and in nobody's way", () => {
    const { driver, ipv4, ipv6, config } = plan(CONFIG);
    assert.deepEqual([driver, ipv4?.subnet, ipv6], ["null", "10.1.0.0/16", undefined]);
    assert.deepEqual(config, { ipv6: true });
    assert.equal(plan(pool({}), [CONFIG]).ipv4?.subnet, "10.1.0.0/16");
  });

  it("are taken over", () => {
    const taken = plan({ name: "lan", driver: "macvlan", configFrom: "cfg" }, [CONFIG]);
    assert.deepInclude(taken, { configFrom: "cfg", labels: CONFIG.labels, driver: "macvlan" });
    assert.deepEqual(taken.options, CONFIG.options);
    assert.deepInclude(taken.ipv4, { subnet: "10.1.0.0/16", gateway: "10.1.0.1", isChosen: true });
    assert.match(taken.ipv6?.subnet ?? "", /^fd/);
    const users = [CONFIG, CREATION].map((one) => ({ ...plan(one), id: one.name, createdAtMs: 0 }));
    const [config, app] = users as [LocalNetwork, LocalNetwork];
    checkNoneDepends(config, users);
    const words = 'configuration network "cfg" is in use';
    assert.throws(() => checkNoneDepends(config, [{ ...app, configFrom: "cfg" }]), words);
  });

  const BAD: readonly [Partial<NetworkCreation>, string, string][] = [
    [{ ...CONFIG, internal: true }, "PermissionDenied", "can only contain network specific fields"],
    [{ ...CONFIG, configFrom: "cfg" }, "PermissionDenied", "cannot depend on another"],
    [{ configFrom: "none" }, "NotFound", 'could not find configuration network "none"'],
    [{ configFrom: "first" }, "PermissionDenied", '"first" is not a configuration network'],
    [{ ...pool({}), configFrom: "first" }, "PermissionDenied", "user specified configurations"],
    [{ ipv6: true, configFrom: "first" }, "PermissionDenied", "user specified configurations"],
  ];
  for (const [asked, code, words] of BAD)
    it(`are refused: ${words}`, () =>
      refuses(asked, code, words, [{ ...CREATION, name: "first" }]));
});

describe("local networks: macvlan and ipvlan", () => {
  const sharing = (driver: string, options: Record<string, string>) => ({ driver, options });

  it("share a link, which no other network shares", () => {
    const { driver, internal } = plan(sharing("macvlan", { parent: "eth0" }));
    assert.deepEqual([driver, internal], ["macvlan", false]);
    const holder = { ...CREATION, ...sharing("macvlan", { parent: "eth0" }), name: "first" };
    for (const other of ["macvlan", "ipvlan"])
      refuses(
        sharing(other, { parent: "eth0" }),
        "PermissionDenied",
        "first has parent link eth0",
        [holder],
      );
    assert.equal(plan(sharing("ipvlan", { parent: "eth0.5" }), [holder]).driver, "ipvlan");
  });

  it("without one, or internal, lead nowhere and are in nobody's way", () => {
    const isolated = { ...CREATION, ...sharing("macvlan", {}), name: "first" };
    const { internal } = plan(sharing("macvlan", {}), [isolated]);
    assert.isTrue(internal);
    const closed = { ...sharing("ipvlan", { parent: "eth0" }), internal: true };
    assert.isTrue(isIsolated(plan(closed)));
    assert.isFalse(isIsolated(plan(sharing("macvlan", { parent: "eth0" }))));
  });

  it("are refused with a link or mode that is none", () => {
    const BAD: readonly [string, Record<string, string>, string][] = [
      ["macvlan", { parent: "a b" }, "invalid parent link"],
      [
        "macvlan",
        { macvlan_mode: "l3" },
        "requested macvlan mode 'l3' is not valid, 'bridge' mode",
      ],
      [
        "ipvlan",
        { ipvlan_mode: "bridge" },
        "requested ipvlan mode 'bridge' is not valid, 'l2' mode",
      ],
      ["ipvlan", { ipvlan_flag: "x" }, "requested ipvlan flag 'x' is not valid, 'bridge' is the"],
      ["ipvlan", { ipvlan_mode: "__proto__" }, "requested ipvlan mode"],
    ];
    for (const [driver, options, words] of BAD)
      refuses(sharing(driver, options), "InvalidArgument", words);
  });
});

describe("local networks: options of a bridge", () => {
  const NAME = "com.docker.network.bridge";
  const PLAIN_FAMILY = { outsideAddress: "", isOpen: false };
  it("have defaults", () => {
    assert.deepEqual(readBridgeOptions({}), {
      ...{ linkName: "", joins: true, masquerades: true, mtu: 1500 },
      ...{ hostAddress: "", interfacePrefix: "eth" },
      ...{ ipv4: PLAIN_FAMILY, ipv6: PLAIN_FAMILY },
    });
  });
  it("are read", () => {
    const options = {
      [`${NAME}.name`]: "br-app",
      [`${NAME}.enable_icc`]: "false",
      [`${NAME}.enable_ip_masquerade`]: "0",
      [`${NAME}.host_binding_ipv4`]: "127.0.0.1",
      [`${NAME}.gateway_mode_ipv6`]: "nat-unprotected",
      "com.docker.network.host_ipv4": "192.0.2.7",
      "com.docker.network.driver.mtu": "1400",
      "com.docker.network.container_iface_prefix": "net",
      note: "somebody's",
    };
    assert.deepEqual(unknownOptions(options), ["note"]);
    const ofAll = ["com.docker.network.driver.mtu", "com.docker.network.container_iface_prefix"];
    const others = Object.keys(options).filter((name) => !ofAll.includes(name));
    assert.deepEqual(unknownOptions(options, ["parent"]), others);
    assert.deepEqual(unknownOptions({ parent: "eth0" }), ["parent"]);
    assert.deepEqual(readBridgeOptions(options), {
      ...{ linkName: "br-app", joins: false, masquerades: false, mtu: 1400 },
      ...{ hostAddress: "127.0.0.1", interfacePrefix: "net" },
      ipv4: { outsideAddress: "192.0.2.7", isOpen: false },
      ipv6: { outsideAddress: "", isOpen: true },
    });
  });
  const BAD: readonly [string, string][] = [
    [`${NAME}.name`, "a name with blanks"],
    [`${NAME}.name`, "sixteencharacter"],
    [`${NAME}.name`, "../x"],
    [`${NAME}.gateway_mode_ipv4`, "routed"],
    ["com.docker.network.host_ipv4", "fd00::1"],
    ["com.docker.network.host_ipv6", "192.0.2.7"],
    [`${NAME}.unheard_of`, "1"],
    ["com.docker.network.driver.mtu", "67"],
    ["com.docker.network.driver.mtu", "1e3"],
    ["com.docker.network.container_iface_prefix", "0"],
  ];
  for (const [name, value] of BAD)
    it(`${name} cannot be ${value}`, () => {
      assert.throws(() => readBridgeOptions({ [name]: value }), ClusterError);
    });
});

describe("local networks: the way out of several", () => {
  const endpoint = (networkName: string, gateway: string, gatewayPriority = 0) =>
    ({ networkName, gateway, gatewayPriority, ipv6: undefined }) as Endpoint;
  const CASES: readonly [string, readonly Endpoint[], string | undefined][] = [
    ["none has one", [endpoint("a", "")], undefined],
    ["the first name", [endpoint("b", "1"), endpoint("a", "1")], "a"],
    ["one that has a gateway", [endpoint("b", "1"), endpoint("a", "")], "b"],
    ["the greatest priority", [endpoint("a", "1"), endpoint("b", "1", 5)], "b"],
  ];
  for (const [name, endpoints, expected] of CASES)
    it(name, () => {
      assert.equal(chooseGateway(endpoints)?.networkName, expected);
    });
});
