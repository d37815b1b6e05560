import { createInterface } from "node:readline/promises";
import { ClusterError } from "../../core/errors.ts";
import type { Context } from "../context.ts";

/**
 * Asks before something goes for good, unless `--force` has said yes. Source: docker/cli, command/utils.go.
 *
 * @param what the command's name. @throws {ClusterError} `Cancelled` for any answer but yes, also for none.
 */
export async function confirm(
  context: Context,
  what: string,
  warning: string,
  force = false,
): Promise<void> {
  if (force) return;
  context.print(`WARNING! ${warning}\nAre you sure you want to continue? [y/N] `);
  const lines = createInterface({ input: process.stdin });
  try {
    const { value } = await lines[Symbol.asyncIterator]().next();
    if (!/^(y|yes)$/i.test(String(value ?? "").trim()))
      throw new ClusterError("Cancelled", `${what} has been cancelled`);
  } finally {
    lines.close();
    process.stdin.unref?.();
  }
}
