import { assert } from "../../core/assert.ts";
import type { Clock } from "../../core/clock.ts";
import { inNamespace } from "../linux/netns.ts";
import { Nftables } from "../linux/nftables.ts";
import { forgetFlows, UDP } from "./flows.ts";
import {
  NFT_FAMILY,
  type NftFamily,
  type Ruleset,
  renderChange,
  renderWhole,
} from "./plan/ruleset.ts";

/** After it the kernel has destroyed replaced rules and closing costs nothing; see `Nftables`. */
const CLOSE_DELAY_MS = 500;

/** The nftables table of one namespace. */
export class RuleSpace {
  readonly #namespaceFd: number;
  readonly #table: string;
  readonly #family: NftFamily;
  readonly #nft: Nftables;
  #current: Ruleset | undefined;
  /** What the kernel said the table was after it was last written whole; undefined: it has changed since. */
  #listing: string | undefined;
  #closed = false;

  /**
   * @param namespaceFd stays the caller's and must stay open.
   * @param table the name of the table, that of every ruleset applied here, as is the family.
   */
  constructor(namespaceFd: number, table: string, family: NftFamily = NFT_FAMILY) {
    this.#namespaceFd = namespaceFd;
    this.#table = table;
    this.#family = family;
    this.#nft = inNamespace(namespaceFd, () => new Nftables());
  }

  /** Brings the table to `rules` in one transaction, by the difference to what was written before. */
  apply(rules: Ruleset): void {
    this.#assertOpen();
    const commands = renderChange(this.#current, rules);
    if (commands === "") return;
    try {
      this.#nft.run(commands);
    } catch (error) {
      if (this.#current === undefined) throw error;
      // The kernel does not have what we wrote: somebody else changed it.
      this.#current = undefined;
      this.#nft.run(renderWhole(rules));
    }
    this.#current = rules;
    this.#listing = undefined;
  }

  /** Writes the table whole unless the kernel still has what was written last time. @returns whether it was repaired. */
  verify(): boolean {
    this.#assertOpen();
    if (this.#current === undefined) return false;
    if (this.#listing !== undefined && this.#list() === this.#listing) return false;
    const repaired = this.#listing !== undefined;
    this.#nft.run(renderWhole(this.#current));
    this.#listing = this.#list();
    return repaired;
  }

  /** Whether rules have put something into a set. */
  hasElements(set: string): boolean {
    this.#assertOpen();
    return this.#nft.hasElements(this.#family, this.#table, set);
  }

  /**
   * Forgets UDP flows that lead to these addresses, so that the next packet of each chooses anew.
   *
   * Reads the machine's whole flow table: about 12 ms. Ask only when there may be such flows.
   */
  forgetUdpFlows(addresses: ReadonlySet<string>): void {
    forgetFlows(
      this.#namespaceFd,
      ({ protocol, destination, answeredBy }) =>
        protocol === UDP && destination !== answeredBy && addresses.has(answeredBy),
    );
  }

  /** Runs other commands in the namespace; what they print. */
  run(commands: string): string {
    this.#assertOpen();
    return this.#nft.run(commands);
  }

  /** The text of another table. */
  findTable(family: string, table: string): string | undefined {
    this.#assertOpen();
    return this.#nft.findTable(family, table);
  }

  /** Removes the table. */
  remove(): void {
    const table = `${this.#family} ${this.#table}`;
    this.#nft.run(`add table ${table}\ndelete table ${table}`);
    this.#current = undefined;
  }

  /** Lets go of the kernel; the table stays as long as its namespace. */
  close(clock: Clock): void {
    this.#closed = true;
    clock.after(CLOSE_DELAY_MS, () => this.#nft.close());
  }

  /** A freed context would take the process with it. */
  #assertOpen(): void {
    assert(!this.#closed, "nftables of a namespace that was let go");
  }

  #list(): string | undefined {
    return this.#nft.findTable(this.#family, this.#table);
  }
}
