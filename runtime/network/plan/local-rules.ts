import type { NftFamily, Ruleset } from "./ruleset.ts";

/** A bridge as the rules need it. */
export interface BridgeFacts {
  readonly link: string;
  /** "172.26.0.0/16"; of the family of the rules. */
  readonly subnet: string;
  /** Nothing leaves it. */
  readonly internal: boolean;
  /** Containers reach the outside under this machine's address. */
  readonly masquerades: boolean;
  /** Which; empty: that of the way they take. */
  readonly outsideAddress: string;
  /** Everybody may send to its containers. */
  readonly isOpen: boolean;
  /** Its containers reach each other. */
  readonly joins: boolean;
  /** The bridge's own address. */
  readonly gateway: string;
}

/**
 * The rules of all local networks: containers reach the outside under this machine's address; from outside, and from other
 * networks, nobody reaches them but by published ports (ports/port-rules.ts).
 *
 * Answers pass, and what this machine itself sends is not forwarded and so not looked at.
 */
export function planLocalRules(
  table: string,
  bridges: readonly BridgeFacts[],
  family: NftFamily = "ip",
): Ruleset {
  const hidden = bridges.filter(({ internal, masquerades }) => masquerades && !internal);
  const internal = bridges.filter((bridge) => bridge.internal);
  const open = bridges.filter(({ isOpen, internal }) => isOpen && !internal);
  const guarded = bridges.filter((bridge) => !open.includes(bridge));
  return {
    table,
    family,
    sets: new Map(),
    elements: new Map(),
    chains: new Map(),
    hooks:
      bridges.length === 0
        ? new Map()
        : new Map([
            [
              "postrouting",
              [
                "type nat hook postrouting priority srcnat; policy accept;",
                ...hidden.map(
                  ({ link, subnet, outsideAddress }) =>
                    `${family} saddr ${subnet} oifname != "${link}" ${outsideAddress === "" ? "masquerade" : `snat to ${outsideAddress}`}`,
                ),
              ],
            ],
            [
              "forward",
              [
                "type filter hook forward priority filter; policy accept;",
                "ct state established,related accept",
                ...bridges.map(
                  ({ link, joins }) =>
                    `iifname "${link}" oifname "${link}" ${joins ? "accept" : "drop"}`,
                ),
                ...(internal.length > 0 ? [`iifname ${setOf(internal)} drop`] : []),
                "ct status dnat accept",
                ...(open.length > 0 ? [`oifname ${setOf(open)} accept`] : []),
                `oifname ${setOf(bridges)} drop`,
              ],
            ],
            [
              "guard",
              [
                "type filter hook prerouting priority raw; policy accept;",
                // Ports of 127.0.0.1 lead to containers, whose bridges therefore route it: nobody else may send to it.
                ...(family === "ip" ? ['iifname != "lo" ip daddr 127.0.0.0/8 drop'] : []),
                // Before any translation: so that no rule of whatever table leads a stranger's packet to a container.
                ...guarded.map(
                  ({ link, subnet, gateway }) =>
                    `iifname != { "lo", "${link}" } ${family} daddr ${subnet} ${family} daddr != ${gateway} drop`,
                ),
              ],
            ],
          ]),
  };
}

function setOf(bridges: readonly BridgeFacts[]): string {
  return `{ ${bridges.map(({ link }) => `"${link}"`).join(", ")} }`;
}
