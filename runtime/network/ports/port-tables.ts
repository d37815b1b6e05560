import { closeSync } from "node:fs";
import type { Clock } from "../../../core/clock.ts";
import { openNamespace } from "../../linux/netns.ts";
import { forgetFlows } from "../flows.ts";
import type { NftFamily } from "../plan/ruleset.ts";
import { RuleSpace } from "../rule-space.ts";
import { leadingOf } from "./leading.ts";
import { planPortRules, portTableName } from "./port-rules.ts";
import type { Publication } from "./types.ts";

export const FAMILIES: readonly NftFamily[] = ["ip", "ip6"];

/** The nftables tables of published ports in the daemon's own namespace, one a family; each there while it has a port. */
export class PortTables {
  readonly #namespaceFd = openNamespace();
  readonly #table: string;
  readonly #spaces = new Map<NftFamily, RuleSpace>();

  constructor(dataRoot: string) {
    this.#table = portTableName(dataRoot);
  }

  /** Makes the rules those of these. */
  apply(publications: readonly Publication[]): void {
    for (const family of FAMILIES) {
      const led = publications.filter((one) => leadingOf(one, family) !== undefined);
      if (led.length > 0)
        this.#spaceOf(family).apply(planPortRules(this.#table, publications, family));
      else this.#remove(family);
    }
  }

  /** Writes the rules again where the kernel has others. @returns whether it had. */
  verify(): boolean {
    return [...this.#spaces.values()].map((space) => space.verify()).includes(true);
  }

  forgetFlows(isStale: Parameters<typeof forgetFlows>[1], family: NftFamily): void {
    forgetFlows(this.#namespaceFd, isStale, family);
  }

  /** Lets go of the kernel; the rules serve on. */
  close(clock: Clock): void {
    for (const space of this.#spaces.values()) space.close(clock);
    closeSync(this.#namespaceFd);
  }

  #spaceOf(family: NftFamily): RuleSpace {
    const known = this.#spaces.get(family);
    if (known !== undefined) return known;
    const space = new RuleSpace(this.#namespaceFd, this.#table, family);
    this.#spaces.set(family, space);
    return space;
  }

  /** What was written by an earlier process is of a publication that this one took up, and so is known here. */
  #remove(family: NftFamily): void {
    this.#spaces.get(family)?.remove();
  }
}
