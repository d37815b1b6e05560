import { createInterface } from "node:readline/promises";
import { type Context, ExitCode, ExitError } from "../context.ts";

/**
 * Asks before something goes for good, unless `--force` has said yes. Source: docker/cli, command/utils.go.
 *
 * @throws {ExitError} 0 for any answer but yes, also for none: it was not to be.
 */
export async function confirm(context: Context, warning: string, force = false): Promise<void> {
  if (force) return;
  context.print(`WARNING! ${warning}\nAre you sure you want to continue? [y/N] `);
  const lines = createInterface({ input: process.stdin });
  try {
    const { value } = await lines[Symbol.asyncIterator]().next();
    if (!/^(y|yes)$/i.test(String(value ?? "").trim())) throw new ExitError(ExitCode.Ok);
  } finally {
    lines.close();
    process.stdin.unref?.();
  }
}
