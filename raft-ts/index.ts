/** The one door to this folder. */
export { RaftInvariantError } from "./assert.ts";
export { decodeConfChanges, encodeConfChanges } from "./conf-change-codec.ts";
export { RaftNode } from "./raft-node.ts";
export { bootstrapState, emptyState } from "./stored-state.ts";
export type * from "./types.ts";
