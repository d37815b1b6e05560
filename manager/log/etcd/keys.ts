/** Digits of an index in a key: keys sort as their numbers do. */
const INDEX_DIGITS = 20;
const ID_DIGITS = 16;
const PART_DIGITS = 6;

/** What a key below `meta/` is about. */
export type MetaKey =
  | { readonly kind: "head" }
  | {
      readonly kind: "candidate" | "member" | "removed" | "present" | "snapshot";
      readonly number: number;
    };

const FOLDERS = {
  candidates: "candidate",
  members: "member",
  removed: "removed",
  present: "present",
  snapshots: "snapshot",
} as const;

/**
 * Where one swarm's log lies in etcd.
 *
 * All that every member keeps in memory is below `meta/`, so that one watch sees it; the data is read when needed.
 */
export class Keys {
  readonly root: string;
  readonly meta: string;
  readonly head: string;

  /** @param prefix such as `/muster`; the swarm's id follows, so that swarms may share an etcd. */
  constructor(prefix: string, clusterId: string) {
    this.root = `${prefix.replace(/\/+$/, "")}/${clusterId}/`;
    this.meta = `${this.root}meta/`;
    this.head = `${this.meta}head`;
  }

  /** Of a member that would lead or does, below its lease; the oldest leads. */
  candidate(raftId: number): string {
    return `${this.meta}candidates/${pad(raftId, ID_DIGITS)}`;
  }

  member(raftId: number): string {
    return `${this.meta}members/${pad(raftId, ID_DIGITS)}`;
  }

  removed(raftId: number): string {
    return `${this.meta}removed/${pad(raftId, ID_DIGITS)}`;
  }

  /** Of anyone who has caught up with the log and is reached, below its lease. */
  present(raftId: number): string {
    return `${this.meta}present/${pad(raftId, ID_DIGITS)}`;
  }

  snapshot(index: number): string {
    return `${this.meta}snapshots/${pad(index, INDEX_DIGITS)}`;
  }

  /** @param index of the first entry in it. */
  record(index: number): string {
    return `${this.root}log/${pad(index, INDEX_DIGITS)}`;
  }

  /** Of an entry too large for one value. */
  entryPart(index: number, part: number): string {
    return `${this.entryParts(index)}${pad(part, PART_DIGITS)}`;
  }

  entryParts(index: number): string {
    return `${this.root}parts/${pad(index, INDEX_DIGITS)}/`;
  }

  snapshotPart(index: number, part: number): string {
    return `${this.snapshotParts(index)}${pad(part, PART_DIGITS)}`;
  }

  snapshotParts(index: number): string {
    return `${this.root}snap/${pad(index, INDEX_DIGITS)}/`;
  }

  /** Undefined for what a newer version may have put there. */
  parseMeta(key: string): MetaKey | undefined {
    if (key === this.head) return { kind: "head" };
    const [folder = "", digits = "", ...more] = key.slice(this.meta.length).split("/");
    if (!Object.hasOwn(FOLDERS, folder) || !/^\d+$/.test(digits) || more.length > 0)
      return undefined;
    return { kind: FOLDERS[folder as keyof typeof FOLDERS], number: Number(digits) };
  }
}

/** The index of the first entry of the record at `key`. */
export function recordIndex(key: string): number {
  return Number(key.slice(-INDEX_DIGITS));
}

/** The first key after all that begin with `prefix`. */
export function prefixEnd(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}
