import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { ClusterError } from "../../core/errors.ts";
import { systemClock } from "../../core/system-clock.ts";
import { systemRandom } from "../../core/system-random.ts";
import { formatSummary, summarize } from "../../manager/recovery/summary.ts";
import { lockFile } from "../../runtime/linux/lock.ts";
import { DEFAULT_CONFIG } from "../config.ts";
import { changedAddresses } from "../node/relocation.ts";
import { SwarmFiles } from "../node/swarm-files.ts";
import { ownAddresses } from "../own-addresses.ts";
import { readSurvivor, recoverNode } from "./recover-node.ts";

interface RecoverOptions {
  readonly dataRoot: string;
  readonly advertiseAddr: string;
  readonly listenAddr: string;
  readonly dryRun?: boolean;
}

/**
 * `musterd recover`: makes the manager whose directory this is the only one of its swarm, while no daemon runs on it.
 *
 * @throws {ClusterError} saying what is in the way; nothing is changed then.
 */
export async function recoverOffline(
  argv: readonly string[],
  print: (line: string) => void,
): Promise<void> {
  const options = readOptions(argv);
  if (options === undefined) return;
  const { dataRoot, dryRun = false } = options;
  if (!existsSync(dataRoot)) {
    throw new ClusterError("NotFound", `cannot recover the swarm: there is no ${dataRoot}`);
  }
  const release = lockDirectory(dataRoot);
  try {
    const files = new SwarmFiles(dataRoot);
    const parts = { files, keys: undefined, clock: systemClock, random: systemRandom };
    const survivor = await readSurvivor(parts);
    const addresses = changedAddresses(survivor.state, options, ownAddresses());
    for (const line of formatSummary(summarize(survivor.swarm))) print(line);
    for (const remark of survivor.remarks) print(`remark    ${remark}`);
    const what = `node ${survivor.nodeId} at ${addresses.advertiseAddr} the only manager of this swarm`;
    if (dryRun) {
      print(`would make ${what}; the other managers would be workers. Nothing was changed.`);
      return;
    }
    const aside = await recoverNode(parts, survivor, addresses);
    print(`made ${what}. Start musterd here. The log as it was is in ${aside}.`);
    print(
      "The other managers' machines become workers when they come back; promote those you want.",
    );
  } finally {
    release();
  }
}

function readOptions(argv: readonly string[]): RecoverOptions | undefined {
  const program = new Command("musterd recover")
    .description(
      "Make the manager whose directory this is the only one of its swarm: for when too few managers are left. " +
        "Its daemon must be stopped, and the other managers gone for good or switched off.",
    )
    .option("--data-root <path>", "The daemon's directory", DEFAULT_CONFIG.dataRoot)
    .option("--dry-run", "Show what is there and what would be done; change nothing")
    .option("--advertise-addr <addr>", "Where others reach it, if that is to change", "")
    .option("--listen-addr <addr>", "Where it listens, if that is to change", "")
    .exitOverride();
  try {
    return program.parse([...argv], { from: "user" }).opts<RecoverOptions>();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new ClusterError("InvalidArgument", error.message.replace(/^error: /, ""));
  }
}

/** @throws {ClusterError} `FailedPrecondition` while a daemon uses the directory. */
function lockDirectory(dataRoot: string): () => void {
  try {
    return lockFile(join(dataRoot, "musterd.lock"));
  } catch (cause) {
    if (!(cause instanceof ClusterError && cause.code === "Unavailable")) throw cause;
    const message = `cannot recover the swarm: a musterd uses ${dataRoot}: stop it first, or use "muster swarm init --force-new-cluster"`;
    throw new ClusterError("FailedPrecondition", message, { cause });
  }
}
