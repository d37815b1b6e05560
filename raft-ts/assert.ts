/** Thrown when the code contradicts itself: never caught, the process stops and recovers from its disk. */
export class RaftInvariantError extends Error {
  override readonly name = "RaftInvariantError";
}

/** @throws {RaftInvariantError} saying `what` unless `condition` holds. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new RaftInvariantError(what);
}
