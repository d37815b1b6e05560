import { assert } from "chai";
import type { Flow } from "../../linux/netlink/conntrack.ts";
import { renderChange, renderWhole } from "../plan/ruleset.ts";
import { planPortRules } from "./port-rules.ts";
import { hasUdp, leadsTo, missesIt } from "./stale-flows.ts";
import type { Publication } from "./types.ts";

const WEB: Publication = {
  containerId: "web",
  address: "10.1.0.2",
  bridge: "mbra",
  link: "mv01",
  subnet: "10.1.0.0/16",
  ports: [
    { port: 80, protocol: "tcp", hostAddress: "0.0.0.0", hostPort: 8080 },
    { port: 80, protocol: "tcp", hostAddress: "127.0.0.1", hostPort: 81 },
  ],
};
const DNS: Publication = {
  ...WEB,
  containerId: "dns",
  address: "10.1.0.3",
  ports: [
    { port: 5353, protocol: "udp", hostAddress: "0.0.0.0", hostPort: 53 },
    { port: 5353, protocol: "udp", hostAddress: "10.9.0.1", hostPort: 54 },
  ],
};

describe("published ports: rules", () => {
  it("lead to the container, and back by way of this machine where the answer would go astray", () => {
    assert.equal(
      renderWhole(planPortRules("t", [WEB])),
      `add table ip t
delete table ip t
add table ip t
add map ip t everywhere { type inet_proto . inet_service : ipv4_addr . inet_service; }
add map ip t somewhere { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
add element ip t everywhere { tcp . 8080 : 10.1.0.2 . 80 }
add element ip t somewhere { 127.0.0.1 . tcp . 81 : 10.1.0.2 . 80 }
add chain ip t prerouting { type nat hook prerouting priority dstnat; policy accept; }
add rule ip t prerouting fib daddr type local meta l4proto { tcp, udp, sctp } dnat ip to ip daddr . meta l4proto . th dport map @somewhere
add rule ip t prerouting fib daddr type local meta l4proto { tcp, udp, sctp } dnat ip to meta l4proto . th dport map @everywhere
add chain ip t output { type nat hook output priority -100; policy accept; }
add rule ip t output fib daddr type local meta l4proto { tcp, udp, sctp } dnat ip to ip daddr . meta l4proto . th dport map @somewhere
add rule ip t output fib daddr type local meta l4proto { tcp, udp, sctp } dnat ip to meta l4proto . th dport map @everywhere
add chain ip t postrouting { type nat hook postrouting priority srcnat; policy accept; }
add rule ip t postrouting oifname "mbra" ct status dnat ip saddr { 127.0.0.0/8, 10.1.0.0/16 } masquerade`,
    );
  });

  it("of one more container in a bridge are no more than its ports", () => {
    assert.equal(
      renderChange(planPortRules("t", [WEB]), planPortRules("t", [WEB, DNS])),
      `add element ip t everywhere { udp . 53 : 10.1.0.3 . 5353 }
add element ip t somewhere { 10.9.0.1 . udp . 54 : 10.1.0.3 . 5353 }`,
    );
  });
});

describe("published ports: rules of IPv6", () => {
  const SIX = { address: "fd00:1::2", bridge: "mbrs", link: "mv09", subnet: "fd00:1::/64" };
  const ports: Publication["ports"] = [
    { port: 80, protocol: "tcp", hostAddress: "0.0.0.0", hostPort: 8080 },
    { port: 80, protocol: "tcp", hostAddress: "::", hostPort: 8080 },
    { port: 53, protocol: "udp", hostAddress: "fd00:9::1", hostPort: 53 },
  ];
  const ofBoth: Publication = { ...WEB, ipv6: SIX, ports };

  it("lead to the container that has it, but from where the kernel leads nothing on", () => {
    const toUs =
      "fib daddr type local ip6 daddr != { ::1, fe80::/10 } ip6 saddr != fe80::/10 meta l4proto { tcp, udp, sctp }";
    const lines = renderWhole(planPortRules("t", [ofBoth], "ip6")).split("\n");
    assert.includeMembers(lines, [
      "add map ip6 t everywhere { type inet_proto . inet_service : ipv6_addr . inet_service; }",
      "add element ip6 t everywhere { tcp . 8080 : fd00:1::2 . 80 }",
      "add element ip6 t somewhere { fd00:9::1 . udp . 53 : fd00:1::2 . 53 }",
      `add rule ip6 t prerouting ${toUs} dnat ip6 to meta l4proto . th dport map @everywhere`,
      'add rule ip6 t postrouting oifname "mbrs" ct status dnat ip6 saddr fd00:1::/64 masquerade',
    ]);
  });

  it("are none for one that has not, and those of IPv4 know nothing of it", () => {
    const without = renderWhole(planPortRules("t", [{ ...WEB, ports }], "ip6"));
    assert.notInclude(without, "element");
    assert.notInclude(renderWhole(planPortRules("t", [ofBoth])), "fd00");
  });
});

describe("published ports: flows that must be forgotten", () => {
  const flow = (
    protocol: number,
    destination: string,
    destinationPort: number,
    answeredBy: string,
  ) =>
    ({
      ...{ protocol, destination, destinationPort, answeredBy },
      ...{ family: "ip", key: Buffer.alloc(0) },
    }) satisfies Flow;
  const OWN = new Set(["127.0.0.1", "10.9.0.1", "10.9.0.2"]);
  const CASES: readonly [string, Flow, boolean, boolean][] = [
    ["of UDP sent on to it", flow(17, "10.9.0.1", 53, "10.1.0.3"), true, false],
    ["of TCP sent on to it", flow(6, "10.9.0.1", 53, "10.1.0.3"), false, false],
    ["of UDP straight to it", flow(17, "10.1.0.3", 53, "10.1.0.3"), false, false],
    ["to its port that began before", flow(17, "10.9.0.2", 53, "10.9.0.2"), false, true],
    ["to its port of another machine", flow(17, "8.8.8.8", 53, "8.8.8.8"), false, false],
    ["to its port of one address", flow(17, "10.9.0.1", 54, "10.9.0.1"), false, true],
    ["to that port of another address", flow(17, "10.9.0.2", 54, "10.9.0.2"), false, false],
  ];
  for (const [name, one, ends, begins] of CASES)
    it(`${name}: when it goes ${ends}, when it comes ${begins}`, () => {
      assert.equal(leadsTo(DNS)(one), ends);
      assert.equal(missesIt(DNS, OWN)(one), begins);
    });
  it("are looked for where there is UDP only", () => {
    assert.deepEqual([hasUdp(WEB), hasUdp(DNS)], [false, true]);
  });
});
