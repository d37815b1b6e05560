import type { Ruleset } from "./ruleset.ts";

/** A bridge as the rules need it. */
export interface BridgeFacts {
  readonly link: string;
  /** "172.26.0.0/16". */
  readonly subnet: string;
}

/**
 * The rules of all local networks: containers reach the outside under this machine's address; from outside, and from other
 * networks, nobody reaches them.
 *
 * Answers pass, and what this machine itself sends is not forwarded and so not looked at.
 */
export function planLocalRules(table: string, bridges: readonly BridgeFacts[]): Ruleset {
  const all = `{ ${bridges.map(({ link }) => `"${link}"`).join(", ")} }`;
  const perBridge = (rule: (bridge: BridgeFacts) => string) => bridges.map(rule);
  return {
    table,
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
                ...perBridge(
                  ({ link, subnet }) => `ip saddr ${subnet} oifname != "${link}" masquerade`,
                ),
              ],
            ],
            [
              "forward",
              [
                "type filter hook forward priority filter; policy accept;",
                "ct state established,related accept",
                ...perBridge(({ link }) => `iifname "${link}" oifname "${link}" accept`),
                `oifname ${all} drop`,
              ],
            ],
          ]),
  };
}
