import { ClusterError } from "../errors.ts";

/** The error for a Dockerfile that cannot be what it says. Docker's words. */
export function invalid(message: string): ClusterError {
  return new ClusterError("InvalidArgument", message);
}

/** A text as Go's `%q` shows it, at a bounded length. */
export function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 1000));
}
