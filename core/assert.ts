/** A broken promise of our own code: never caught, the process stops. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/**
 * States what must be true here whatever the input.
 *
 * @throws {InvariantError} when it is not.
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Marks a branch that the types rule out; a new case of a union stops it compiling. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable value ${JSON.stringify(value)}`);
}
