import { assert } from "chai";
import { EndpointTable } from "../../../proto/gen/endpoints.ts";
import {
  PortConfig,
  PortConfig_Protocol,
  PortConfig_PublishMode,
} from "../../../proto/gen/objects.ts";
import { planForwardRules } from "../../../runtime/network/plan/forward-rules.ts";
import {
  type Ruleset,
  renderChange,
  renderWhole,
  toOneOf,
} from "../../../runtime/network/plan/ruleset.ts";
import { planHostRules } from "./host-rules.ts";
import { GATEWAY_BRIDGE, INGRESS_LINK } from "./names.ts";
import { planVipRules } from "./vip-rules.ts";

const LINKS = [GATEWAY_BRIDGE, INGRESS_LINK];
const DNS = { udp: 5300, tcp: 5301 };

/** A service `s` with the VIP 10.0.1.2 and one endpoint for each word: "5" serves at 10.0.1.5, "6-" is there and does not. */
function table(endpoints: string, ingress = false): EndpointTable {
  return EndpointTable.fromPartial({
    networkId: "net",
    version: 1,
    network: { name: "app", ingress },
    services: [
      {
        serviceId: "s",
        name: "web",
        virtualIps: ["10.0.1.2"],
        ports: ingress ? [PortConfig.fromPartial({ targetPort: 80, publishedPort: 8080 })] : [],
      },
    ],
    endpoints: endpoints
      .split(" ")
      .filter((word) => word !== "")
      .map((word) => ({
        taskId: word,
        serviceId: "s",
        addresses: [`10.0.1.${word.replace("-", "")}`],
        serving: !word.endsWith("-"),
      })),
  });
}

/** The commands that fill chains, sets and maps: what depends on the table. */
function moving(commands: string): string {
  return commands
    .split("\n")
    .filter((line) => / (vip|port)_|element /.test(line))
    .join("\n");
}

describe("data plane: VIP rules", () => {
  it("are written whole in one transaction, hooks last", () => {
    assert.equal(
      renderWhole(planVipRules([table("5 6")], DNS)),
      `add table ip muster
delete table ip muster
add table ip muster
add map ip muster vips { type ipv4_addr : verdict; }
add set ip muster unserved { type ipv4_addr; }
add set ip muster udp_seen { type ipv4_addr; size 65535; flags dynamic; }
add chain ip muster dns
add chain ip muster vip_10_0_1_2
add rule ip muster dns udp dport 53 dnat to 127.0.0.11:5300
add rule ip muster dns tcp dport 53 dnat to 127.0.0.11:5301
add rule ip muster vip_10_0_1_2 meta l4proto udp add @udp_seen { ip daddr }
add rule ip muster vip_10_0_1_2 dnat to numgen random mod 2 map { 0 : 10.0.1.5, 1 : 10.0.1.6 }
add element ip muster vips { 10.0.1.2 : goto vip_10_0_1_2 }
add chain ip muster output { type nat hook output priority -100; policy accept; }
add rule ip muster output ip daddr 127.0.0.11 goto dns
add rule ip muster output ip daddr vmap @vips
add chain ip muster refuse { type filter hook output priority filter; policy accept; }
add rule ip muster refuse ip daddr @unserved meta l4proto tcp reject with tcp reset
add rule ip muster refuse ip daddr @unserved reject with icmp type host-unreachable`,
    );
  });

  const steps = [
    { name: "nothing for equal tables, in any order", from: "5 6", to: "6 5", expected: "" },
    {
      name: "one chain when an endpoint serves no more",
      from: "5 6",
      to: "5 6-",
      expected: `flush chain ip muster vip_10_0_1_2
add rule ip muster vip_10_0_1_2 meta l4proto udp add @udp_seen { ip daddr }
add rule ip muster vip_10_0_1_2 dnat to 10.0.1.5`,
    },
    {
      name: "the VIP refuses when nobody serves",
      from: "5",
      to: "5-",
      expected: `delete element ip muster vips { 10.0.1.2 : goto vip_10_0_1_2 }
add element ip muster unserved { 10.0.1.2 }
flush chain ip muster vip_10_0_1_2
delete chain ip muster vip_10_0_1_2`,
    },
    {
      name: "the VIP leads on when somebody serves again",
      from: "5-",
      to: "5",
      expected: `add chain ip muster vip_10_0_1_2
add rule ip muster vip_10_0_1_2 meta l4proto udp add @udp_seen { ip daddr }
add rule ip muster vip_10_0_1_2 dnat to 10.0.1.5
add element ip muster vips { 10.0.1.2 : goto vip_10_0_1_2 }
delete element ip muster unserved { 10.0.1.2 }`,
    },
  ];
  for (const { name, from, to, expected } of steps)
    it(`change: ${name}`, () => {
      const [before, after] = [from, to].map((word) => planVipRules([table(word)], DNS));
      if (after === undefined) throw new Error("no plan");
      assert.equal(renderChange(before, after), expected);
    });

  it("the ingress network has no VIPs for containers", () => {
    assert.equal(moving(renderWhole(planVipRules([table("5", true)], DNS))), "");
  });

  it("another name server port is a change of one chain", () => {
    const before = planVipRules([table("5")], DNS);
    const after = planVipRules([table("5")], { udp: 5300, tcp: 9 });
    assert.equal(
      renderChange(before, after),
      `flush chain ip muster dns
add rule ip muster dns udp dport 53 dnat to 127.0.0.11:5300
add rule ip muster dns tcp dport 53 dnat to 127.0.0.11:9`,
    );
  });
});

describe("data plane: host rules", () => {
  const gatewaySubnet = "172.20.0.0/16";
  const plan = (endpoints: string, withheld: ReadonlySet<string> = new Set()): Ruleset =>
    planHostRules({
      gatewaySubnet,
      hostPorts: [],
      ingress: { table: table(endpoints, true), address: "10.0.0.9", withheld },
    });

  it("a published port leads to one of the serving endpoints", () => {
    assert.equal(
      moving(renderWhole(plan("5 6 7-"))),
      `add chain ip muster port_tcp_8080
add rule ip muster port_tcp_8080 meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.0.1.5 . 80, 1 : 10.0.1.6 . 80 }
add element ip muster ports { tcp . 8080 : goto port_tcp_8080 }`,
    );
  });

  it("a published port that a single container has here is left to it", () => {
    assert.equal(moving(renderWhole(plan("5", new Set(["tcp . 8080"])))), "");
    assert.notEqual(moving(renderWhole(plan("5", new Set(["udp . 8080"])))), "");
  });

  it("a published port nobody serves refuses", () => {
    assert.equal(moving(renderWhole(plan("5-"))), "add element ip muster unserved { tcp . 8080 }");
  });

  it("without an address on the ingress network nothing is published, and containers still get out", () => {
    const rules = planHostRules({ gatewaySubnet, hostPorts: [], ingress: undefined });
    assert.equal(moving(renderWhole(rules)), "");
    assert.include(renderWhole(rules), `ip saddr ${gatewaySubnet} oifname != "muster0" masquerade`);
  });

  it("a port in host mode leads to its container", () => {
    const port = PortConfig.fromPartial({
      protocol: PortConfig_Protocol.UDP,
      publishMode: PortConfig_PublishMode.HOST,
      targetPort: 53,
      publishedPort: 5353,
    });
    const hostPorts = [{ port, address: "172.20.0.7" }];
    assert.equal(
      moving(renderWhole(planHostRules({ gatewaySubnet, hostPorts, ingress: undefined }))),
      `add chain ip muster port_udp_5353
add rule ip muster port_udp_5353 meta l4proto udp dnat to 172.20.0.7:53
add element ip muster ports { udp . 5353 : goto port_udp_5353 }`,
    );
  });

  it("are written whole again when a hook changes", () => {
    const before = planHostRules({ gatewaySubnet, hostPorts: [], ingress: undefined });
    assert.match(renderChange(before, plan("5")), /^add table ip muster\ndelete table ip muster\n/);
  });
});

describe("data plane: the choice of an endpoint", () => {
  it("needs no dice for one", () => {
    assert.equal(toOneOf(["10.0.1.5"]), "dnat to 10.0.1.5");
    assert.equal(
      toOneOf(["10.0.1.5"], { protocol: "tcp", port: 80 }),
      "meta l4proto tcp dnat to 10.0.1.5:80",
    );
  });
});

describe("data plane: a FORWARD chain that drops", () => {
  const chain = (policy: string, rules = "") => `table ip filter { # handle 1
	chain FORWARD { # handle 2
		type filter hook forward priority filter; policy ${policy};
${rules}	}
}
`;
  const own = `		oifname "muster0" accept # handle 9\n`;

  it("is opened for our links", () => {
    assert.deepEqual(planForwardRules(chain("drop"), LINKS).add, [
      'insert rule ip filter FORWARD iifname "muster0" accept',
      'insert rule ip filter FORWARD oifname "muster0" accept',
      'insert rule ip filter FORWARD iifname "muster-in" accept',
      'insert rule ip filter FORWARD oifname "muster-in" accept',
    ]);
  });
  it("keeps the rules it has", () => {
    assert.lengthOf(planForwardRules(chain("drop", own), LINKS).add, 3);
  });
  it("loses ours by their handles", () => {
    assert.deepEqual(planForwardRules(chain("drop", own), LINKS).remove, [
      "delete rule ip filter FORWARD handle 9",
    ]);
  });
  for (const [name, text] of [
    ["one that accepts", chain("accept")],
    ["none", ""],
  ] as const)
    it(`${name} is left alone`, () => {
      assert.deepEqual(planForwardRules(text, LINKS), { add: [], remove: [] });
    });
});
