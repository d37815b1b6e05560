import { assert } from "chai";
import { bridgeLinkName, localTableName, portLinkName } from "./bridge.ts";
import { LINK_NAME_CHARS_MAX } from "./link-names.ts";
import { planLocalRules } from "./local-rules.ts";
import { renderWhole } from "./ruleset.ts";

describe("local networks: names", () => {
  it("follow from the data root and fit a link's name", () => {
    assert.equal(bridgeLinkName("/var/lib/muster", "n"), bridgeLinkName("/var/lib/muster", "n"));
    const names = ["/a", "/b"].flatMap((root) => ["n", "m"].map((id) => bridgeLinkName(root, id)));
    assert.lengthOf(new Set(names), 4);
    for (const name of [...names, portLinkName("0123456789abcdef0123")]) {
      assert.isAtMost(name.length, LINK_NAME_CHARS_MAX);
      assert.match(name, /^m[a-z0-9]+$/);
    }
    assert.notEqual(localTableName("/a"), localTableName("/b"));
  });
});

describe("local networks: rules", () => {
  const OPEN = {
    ...{ internal: false, masquerades: true, joins: true },
    ...{ outsideAddress: "", isOpen: false },
  };

  it("let containers out, and in only what was asked for; networks are apart", () => {
    const bridges = [
      { link: "mbra", subnet: "10.1.0.0/16", gateway: "10.1.0.1", ...OPEN },
      { link: "mbrb", subnet: "10.2.0.0/16", gateway: "10.2.0.1", ...OPEN },
    ];
    assert.equal(
      renderWhole(planLocalRules("t", bridges)),
      `add table ip t
delete table ip t
add table ip t
add chain ip t postrouting { type nat hook postrouting priority srcnat; policy accept; }
add rule ip t postrouting ip saddr 10.1.0.0/16 oifname != "mbra" masquerade
add rule ip t postrouting ip saddr 10.2.0.0/16 oifname != "mbrb" masquerade
add chain ip t forward { type filter hook forward priority filter; policy accept; }
add rule ip t forward ct state established,related accept
add rule ip t forward iifname "mbra" oifname "mbra" accept
add rule ip t forward iifname "mbrb" oifname "mbrb" accept
add rule ip t forward ct status dnat accept
add rule ip t forward oifname { "mbra", "mbrb" } drop
add chain ip t guard { type filter hook prerouting priority raw; policy accept; }
add rule ip t guard iifname != "lo" ip daddr 127.0.0.0/8 drop
add rule ip t guard iifname != { "lo", "mbra" } ip daddr 10.1.0.0/16 ip daddr != 10.1.0.1 drop
add rule ip t guard iifname != { "lo", "mbrb" } ip daddr 10.2.0.0/16 ip daddr != 10.2.0.1 drop`,
    );
  });

  it("an internal network has no way out; one that does not join keeps its containers apart", () => {
    const bridges = [
      { link: "mbra", subnet: "10.1.0.0/16", gateway: "10.1.0.1", ...OPEN, internal: true },
      {
        ...{ link: "mbrb", subnet: "10.2.0.0/16", gateway: "10.2.0.1" },
        ...{ ...OPEN, joins: false, masquerades: false },
      },
    ];
    const { hooks } = planLocalRules("t", bridges);
    assert.lengthOf(hooks.get("postrouting") ?? [], 1);
    assert.deepEqual(hooks.get("forward")?.slice(2), [
      'iifname "mbra" oifname "mbra" accept',
      'iifname "mbrb" oifname "mbrb" drop',
      'iifname { "mbra" } drop',
      "ct status dnat accept",
      'oifname { "mbra", "mbrb" } drop',
    ]);
  });

  it("one that is open is entered by everybody; containers may have a certain address outside", () => {
    const named = { subnet: "10.1.0.0/16", gateway: "10.1.0.1", outsideAddress: "192.0.2.7" };
    const bridges = [
      { ...OPEN, ...named, link: "mbra", isOpen: true },
      { ...OPEN, link: "mbrb", subnet: "10.2.0.0/16", gateway: "10.2.0.1" },
    ];
    const { hooks } = planLocalRules("t", bridges);
    assert.equal(
      hooks.get("postrouting")?.[1],
      'ip saddr 10.1.0.0/16 oifname != "mbra" snat to 192.0.2.7',
    );
    assert.deepEqual(hooks.get("forward")?.slice(-3), [
      "ct status dnat accept",
      'oifname { "mbra" } accept',
      'oifname { "mbra", "mbrb" } drop',
    ]);
    assert.deepEqual(hooks.get("guard")?.slice(2), [
      'iifname != { "lo", "mbrb" } ip daddr 10.2.0.0/16 ip daddr != 10.2.0.1 drop',
    ]);
  });

  it("of IPv6 are the same in its own words", () => {
    const six = [{ link: "mbra", subnet: "fd00::/64", gateway: "fd00::1", ...OPEN }];
    const { hooks } = planLocalRules("t", six, "ip6");
    assert.match(renderWhole(planLocalRules("t", six, "ip6")), /^add table ip6 t\n/);
    assert.equal(hooks.get("postrouting")?.[1], 'ip6 saddr fd00::/64 oifname != "mbra" masquerade');
    assert.deepEqual(hooks.get("guard")?.slice(1), [
      'iifname != { "lo", "mbra" } ip6 daddr fd00::/64 ip6 daddr != fd00::1 drop',
    ]);
  });

  it("are none without a bridge", () => {
    assert.equal(renderWhole(planLocalRules("t", [])).split("\n").length, 3);
  });
});
