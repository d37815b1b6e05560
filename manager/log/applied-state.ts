import { RaftMember } from "../../proto/gen/raft.ts";
import { decodeConfChanges } from "../../raft-ts/index.ts";
import type { ConfChange, Entry } from "../../raft-ts/types.ts";
import { findMember, type MemberTable, withMember, withoutMember } from "./members.ts";
import type { Member, StateMachine } from "./replicated-log.ts";
import type { LoadedSnapshot } from "./snapshot/snapshot-store.ts";

/** What the committed entries make: the state machine's state and the member table, at one index. */
export class AppliedState {
  readonly #stateMachine: StateMachine;
  #members: MemberTable;
  #index: number;
  #entryBytes = 0;

  constructor(stateMachine: StateMachine, start: { members: MemberTable; index: number }) {
    this.#stateMachine = stateMachine;
    this.#members = start.members;
    this.#index = start.index;
  }

  /** Of the last applied entry. */
  get index(): number {
    return this.#index;
  }

  /** Of all entries applied since the start of the process. */
  get entryBytes(): number {
    return this.#entryBytes;
  }

  get members(): MemberTable {
    return this.#members;
  }

  /** Applies the next entry and returns what its proposer gets. */
  apply(entry: Entry): unknown {
    this.#index = entry.index;
    this.#entryBytes += entry.data.length;
    if (entry.kind === "confChange") {
      this.#members = decodeConfChanges(entry.data).reduce(changeMembers, this.#members);
      return undefined;
    }
    // A new leader's first entry says nothing.
    if (entry.data.length === 0) return undefined;
    return this.#stateMachine.apply(entry.index, entry.data);
  }

  restore(snapshot: LoadedSnapshot): void {
    const { index } = snapshot.header.meta;
    this.#stateMachine.restore(index, snapshot.parts);
    this.#members = snapshot.header.members;
    this.#index = index;
  }

  /** The state after the last applied entry. All parts at once: what is applied later must not show in them. */
  snapshotParts(): readonly Uint8Array[] {
    return [...this.#stateMachine.snapshot()];
  }
}

/** What travels with a change of membership, for every member's table. */
export function encodeMember(member: Member): Uint8Array {
  const { raftId, nodeId, addr } = member;
  return RaftMember.encode({ raftId, nodeId, addr, learner: false }).finish();
}

function changeMembers(table: MemberTable, change: ConfChange): MemberTable {
  if (change.kind === "remove") return withoutMember(table, change.raftId);
  if (change.kind === "update") return relocated(table, change);
  const learner = change.kind === "addLearner";
  if (change.context.length > 0) {
    return withMember(table, { ...RaftMember.decode(change.context), learner });
  }
  const known = findMember(table, change.raftId);
  return known === undefined ? table : withMember(table, { ...known, learner });
}

/** A member is found elsewhere; what part it takes stays as it is. */
function relocated(table: MemberTable, { raftId, context }: ConfChange): MemberTable {
  const known = findMember(table, raftId);
  if (known === undefined) return table;
  return withMember(table, { ...known, addr: RaftMember.decode(context).addr });
}
