/** A namespace's nftables table as data, and the commands that bring the kernel to it. Pure. */

/** The family of a table that says none: IPv4. */
export const NFT_FAMILY = "ip";

/** Families as nftables spells them. */
export type NftFamily = "ip" | "ip6";

export interface Ruleset {
  /** Its name; all in it is ours. */
  readonly table: string;
  readonly family?: NftFamily;
  /** Declarations of sets and maps by name: "type ipv4_addr : verdict;". Those in `elements` are ours to fill. */
  readonly sets: ReadonlyMap<string, string>;
  /** Chains hooked into the kernel, by name: the hook's declaration, then rules. They rarely change. */
  readonly hooks: ReadonlyMap<string, readonly string[]>;
  /** Elements of sets (value empty) and maps, by name of the set. */
  readonly elements: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Chains that maps and hooks jump to, by name. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
}

/** Commands that replace the whole table, whatever it was, in one transaction; connections it has translated go on. */
export function renderWhole(rules: Ruleset): string {
  const table = `${rules.family ?? NFT_FAMILY} ${rules.table}`;
  const lines = [
    `add table ${table}`,
    `delete table ${table}`,
    `add table ${table}`,
    ...[...rules.sets].map((set) => declareSet(table, set)),
    ...[...rules.chains.keys()].map((name) => `add chain ${table} ${name}`),
    ...[...rules.chains].flatMap(([name, body]) => addRules(table, name, body)),
    ...[...rules.elements].flatMap(([name, elements]) =>
      changeElements(table, "add", name, elements),
    ),
  ];
  for (const [name, [declaration = "", ...body]] of rules.hooks)
    lines.push(`add chain ${table} ${name} { ${declaration} }`, ...addRules(table, name, body));
  return lines.join("\n");
}

/** Commands from one ruleset to the next, as few as can be; empty when they are equal. */
export function renderChange(from: Ruleset | undefined, to: Ruleset): string {
  if (from === undefined || !sameFrame(from, to)) return renderWhole(to);
  const table = `${to.family ?? NFT_FAMILY} ${to.table}`;
  const added = [...to.chains].filter(([name]) => !from.chains.has(name));
  const changed = [...to.chains].filter(([name, body]) => differs(from.chains.get(name), body));
  const removed = [...from.chains.keys()].filter((name) => !to.chains.has(name));
  const lines = [
    ...added.map(([name]) => `add chain ${table} ${name}`),
    ...added.flatMap(([name, body]) => addRules(table, name, body)),
    ...changed.map(([name]) => `flush chain ${table} ${name}`),
    ...changed.flatMap(([name, body]) => addRules(table, name, body)),
  ];
  for (const [name, elements] of to.elements) {
    const before = from.elements.get(name) ?? new Map<string, string>();
    lines.push(...changeElements(table, "delete", name, onlyIn(before, elements)));
    lines.push(...changeElements(table, "add", name, onlyIn(elements, before)));
  }
  for (const name of removed)
    lines.push(`flush chain ${table} ${name}`, `delete chain ${table} ${name}`);
  return lines.join("\n");
}

/** Sends new flows to one of the addresses at random; `protocol` and `port` when the port changes too. */
export function toOneOf(
  addresses: readonly string[],
  target?: { readonly protocol: string; readonly port: number },
): string {
  const match = target === undefined ? "" : `meta l4proto ${target.protocol} `;
  const [only] = addresses;
  if (addresses.length === 1)
    return `${match}dnat to ${only}${target === undefined ? "" : `:${target.port}`}`;
  const ends = addresses.map(
    (address, index) => `${index} : ${address}${target === undefined ? "" : ` . ${target.port}`}`,
  );
  const choice = `numgen random mod ${addresses.length} map { ${ends.join(", ")} }`;
  return `${match}dnat ${target === undefined ? "to" : "ip to"} ${choice}`;
}

function addRules(table: string, chain: string, body: readonly string[]): string[] {
  return body.map((rule) => `add rule ${table} ${chain} ${rule}`);
}

function changeElements(
  table: string,
  verb: "add" | "delete",
  name: string,
  elements: ReadonlyMap<string, string>,
): string[] {
  if (elements.size === 0) return [];
  const list = [...elements].map(([key, value]) => (value === "" ? key : `${key} : ${value}`));
  return [`${verb} element ${table} ${name} { ${list.join(", ")} }`];
}

/** What `a` has and `b` has not, or has with another value. */
function onlyIn(
  a: ReadonlyMap<string, string>,
  b: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  return new Map([...a].filter(([key, value]) => b.get(key) !== value));
}

/** nft wants maps, which have a type of values, declared by a command of their own. */
function declareSet(table: string, [name, declaration]: readonly [string, string]): string {
  const kind = declaration.includes(" : ") ? "map" : "set";
  return `add ${kind} ${table} ${name} { ${declaration} }`;
}

function sameFrame(a: Ruleset, b: Ruleset): boolean {
  return (
    JSON.stringify([[...a.sets], [...a.hooks]]) === JSON.stringify([[...b.sets], [...b.hooks]])
  );
}

function differs(before: readonly string[] | undefined, after: readonly string[]): boolean {
  return before !== undefined && before.join("\n") !== after.join("\n");
}
