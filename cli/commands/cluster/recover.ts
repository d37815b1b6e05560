import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Command } from "commander";
import { ClusterError } from "../../../core/errors.ts";
import { type ExitCode, ExitError } from "../../context.ts";

/** Beside `muster` itself: bin/musterd. */
const MUSTERD = join(import.meta.dirname, "../../../../bin/musterd");

/** Works on a directory, not on a daemon: `musterd recover` does it, and says what its flags are. */
export function addClusterRecover(parent: Command): void {
  parent
    .command("recover")
    .description("Go on with one manager of a swarm that lost too many: offline, on its directory")
    .usage("[--data-root <path>] [--dry-run] [--from <backup>] [--help]")
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .argument("[flags...]")
    .action(async (flags: string[]) => {
      const code = await run(["recover", ...flags]);
      if (code !== 0) throw new ExitError(code as ExitCode);
    });
}

async function run(args: readonly string[]): Promise<number> {
  const child = spawn(MUSTERD, args, { stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.once("error", (cause) =>
      reject(new ClusterError("Unavailable", `cannot run ${MUSTERD}: ${cause.message}`, { cause })),
    );
    child.once("exit", (code) => resolve(code ?? 1));
  });
}
