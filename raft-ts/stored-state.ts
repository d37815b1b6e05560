import { encodeConfChanges } from "./conf-change-codec.ts";
import type { ConfChange, StoredState } from "./types.ts";

const FIRST_TERM = 1;

/** What a member that joins an existing group starts from: it votes for nobody until the leader's log told it who takes part. */
export function emptyState(): StoredState {
  return { hardState: { term: 0, vote: 0, commit: 0 }, snapshot: undefined, entries: [] };
}

/**
 * What the first members of a new group start from: a log whose committed head adds them as voters.
 *
 * Write it durably before the first start. Each of `members` must start from the same list; the usual group starts with
 * one member and grows by `proposeConfChange`. `context` of each (the address) is in the log for later members to read.
 */
export function bootstrapState(members: readonly Omit<ConfChange, "kind">[]): StoredState {
  const entries = members.map(
    (member, i) =>
      ({
        index: i + 1,
        term: FIRST_TERM,
        kind: "confChange",
        data: encodeConfChanges([{ ...member, kind: "addVoter" }]),
      }) as const,
  );
  return {
    hardState: { term: FIRST_TERM, vote: 0, commit: entries.length },
    snapshot: undefined,
    entries,
  };
}
