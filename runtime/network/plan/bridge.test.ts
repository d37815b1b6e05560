import { assert } from "chai";
import { bridgeLinkName, chooseAddress, localTableName, portLinkName } from "./bridge.ts";
import { parseCidr } from "./cidr.ts";
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

describe("local networks: addresses", () => {
  const subnet = parseCidr("10.1.0.0/29");
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
      assert.equal(chooseAddress(subnet, addresses, subnet.first + after), expected);
    });
});

describe("local networks: rules", () => {
  it("let containers out, and in only what was asked for; networks are apart", () => {
    const bridges = [
      { link: "mbra", subnet: "10.1.0.0/16" },
      { link: "mbrb", subnet: "10.2.0.0/16" },
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
add rule ip t forward oifname { "mbra", "mbrb" } drop`,
    );
  });

  it("are none without a bridge", () => {
    assert.equal(renderWhole(planLocalRules("t", [])).split("\n").length, 3);
  });
});
