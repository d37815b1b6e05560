import type { NftFamily } from "./ruleset.ts";

/**
 * Rules for machines whose iptables FORWARD chain drops by default, as Docker leaves it: a packet must be accepted in
 * every chain of the hook, so ours has to be said there too. Written as iptables would, so that its tools still read it.
 */
export interface ForwardRules {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

const CHAIN = "filter FORWARD";

/**
 * @param table the text of the family's table `filter` with handles; empty when there is none.
 * @param links whose packets are to pass.
 */
export function planForwardRules(
  table: string,
  links: readonly string[],
  family: NftFamily = "ip",
): ForwardRules {
  const rules = links.flatMap((link) => [`iifname "${link}" accept`, `oifname "${link}" accept`]);
  const chain = /chain FORWARD \{[^}]*\}/.exec(table)?.[0] ?? "";
  const found = new Map(
    [...chain.matchAll(/^\s*(.*?) # handle (\d+)$/gm)].map(([, rule = "", handle = ""]) => [
      rule,
      handle,
    ]),
  );
  const drops = chain.includes("policy drop");
  return {
    add: drops
      ? rules
          .filter((rule) => !found.has(rule))
          .map((rule) => `insert rule ${family} ${CHAIN} ${rule}`)
      : [],
    remove: rules
      .flatMap((rule) => found.get(rule) ?? [])
      .map((handle) => `delete rule ${family} ${CHAIN} handle ${handle}`),
  };
}
