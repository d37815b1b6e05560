import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { ClusterError } from "../../core/errors.ts";
import { systemClock } from "../../core/system-clock.ts";
import { systemRandom } from "../../core/system-random.ts";
import { parseUnlockKey } from "../../manager/ca/unlock-key.ts";
import { formatSummary, summarize } from "../../manager/recovery/summary.ts";
import { lockFile } from "../../runtime/linux/lock.ts";
import { DEFAULT_CONFIG } from "../config.ts";
import { changedAddresses, newAddresses } from "../node/relocation.ts";
import { SwarmFiles } from "../node/swarm-files.ts";
import { ownAddresses } from "../own-addresses.ts";
import { readBackup, survivorOf } from "./from-backup.ts";
import { type RecoveryParts, readSurvivor, recoverNode } from "./recover-node.ts";
import { restoreNode } from "./restore-node.ts";

interface RecoverOptions {
  readonly dataRoot: string;
  readonly advertiseAddr: string;
  readonly listenAddr: string;
  readonly dryRun?: boolean;
  /** A backup; empty: what is in the directory. */
  readonly from: string;
  readonly passphraseFile: string;
  readonly unlockKeyFile?: string;
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
  const { dataRoot } = options;
  if (!existsSync(dataRoot)) {
    throw new ClusterError("NotFound", `cannot recover the swarm: there is no ${dataRoot}`);
  }
  const release = lockDirectory(dataRoot);
  try {
    const files = new SwarmFiles(dataRoot);
    const unlockKey = readUnlockKey(options.unlockKeyFile);
    if (files.isLocked && unlockKey === undefined) {
      const message =
        "cannot recover the swarm: this manager is locked: give the unlock key with --unlock-key-file";
      throw new ClusterError("FailedPrecondition", message);
    }
    const parts = { files, unlockKey, clock: systemClock, random: systemRandom };
    if (options.from !== "") await recoverFromBackup(parts, options, print);
    else await recoverFromLog(parts, options, print);
  } finally {
    release();
  }
}

async function recoverFromLog(
  parts: RecoveryParts,
  options: RecoverOptions,
  print: (line: string) => void,
): Promise<void> {
  const survivor = await readSurvivor(parts);
  const addresses = changedAddresses(survivor.state, options, ownAddresses());
  for (const line of formatSummary(summarize(survivor.swarm))) print(line);
  for (const remark of survivor.remarks) print(`remark    ${remark}`);
  const what = `node ${survivor.nodeId} at ${addresses.advertiseAddr} the only manager of this swarm`;
  if (options.dryRun === true) {
    print(`would make ${what}; the other managers would be workers. Nothing was changed.`);
    return;
  }
  const aside = await recoverNode(parts, survivor, addresses);
  print(`made ${what}. Start musterd here. The log as it was is in ${aside}.`);
  print("The other managers' machines become workers when they come back; promote those you want.");
}

/** The node keeps its identity if it is one of this swarm's managers; a node in no swarm gets a new one. */
async function recoverFromBackup(
  parts: RecoveryParts,
  options: RecoverOptions,
  print: (line: string) => void,
): Promise<void> {
  const { swarm, header } = await readBackup(options.from, options.passphraseFile);
  const own = parts.files.load(parts.unlockKey);
  const addresses = own
    ? changedAddresses(own.state, options, ownAddresses())
    : newAddresses(options, ownAddresses());
  for (const line of formatSummary(summarize(swarm))) print(line);
  print(
    `backup    of ${new Date(header.createdAtMs).toISOString()}, made by muster ${header.version}`,
  );
  const survivor = own === undefined ? undefined : survivorOf(own, swarm);
  const who = survivor === undefined ? "a new node" : `node ${survivor.nodeId}`;
  const what = `${who} at ${addresses.advertiseAddr} the only manager of this swarm, as it was then`;
  if (options.dryRun === true) {
    print(`would make ${what}. Nothing was changed.`);
    return;
  }
  if (survivor === undefined) await restoreNode(parts, swarm, addresses);
  else print(`the log as it was is in ${await recoverNode(parts, survivor, addresses)}.`);
  print(`made ${what}. Start musterd here.`);
}

function readOptions(argv: readonly string[]): RecoverOptions | undefined {
  const program = new Command("musterd recover")
    .description(
      "Make the manager whose directory this is the only one of its swarm: for when too few managers are left. " +
        "Its daemon must be stopped, and the other managers gone for good or switched off.",
    )
    .option("--data-root <path>", "The daemon's directory", DEFAULT_CONFIG.dataRoot)
    .option("--from <backup>", "Not what is in the directory, but this backup", "")
    .option("--passphrase-file <file>", "What the backup was made with; - for standard input", "")
    .option("--unlock-key-file <path>", "Where the unlock key is, if managers are locked; -: input")
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

/** Never on the command line, where everybody may read it. */
function readUnlockKey(path: string | undefined): Uint8Array | undefined {
  if (path === undefined) return undefined;
  try {
    return parseUnlockKey(readFileSync(path === "-" ? 0 : path, "utf8").trim());
  } catch (cause) {
    if (cause instanceof ClusterError) throw cause;
    throw new ClusterError("InvalidArgument", `cannot read the unlock key from ${path}`, { cause });
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
