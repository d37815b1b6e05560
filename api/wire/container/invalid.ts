import { ClusterError } from "../../../core/errors.ts";

/** A message quotes what was sent, which may have any length. */
const MESSAGE_LENGTH_MAX = 1000;

/** What a body says that cannot be, in Docker's words. */
export function invalid(message: string): ClusterError {
  return new ClusterError("InvalidArgument", message.slice(0, MESSAGE_LENGTH_MAX));
}
