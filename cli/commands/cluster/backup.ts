import { createWriteStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { ClusterError, errorMessage } from "../../../core/errors.ts";
import type { Context } from "../../context.ts";
import { readSecretFile } from "../../flags/secret-file.ts";

export function addClusterBackup(parent: Command, context: Context): void {
  parent
    .command("backup")
    .description("Write the swarm's whole state into one file, sealed with a passphrase")
    .argument("<file>", "Made anew; one that exists is replaced once the new one is whole")
    .requiredOption("--passphrase-file <file>", "What opens it again; - for standard input")
    .action(async (path: string, { passphraseFile }: { passphraseFile: string }) => {
      const passphrase = readSecretFile(passphraseFile, "passphrase");
      await download(context, path, passphrase);
      context.print(`${path}\n`);
    });
}

/** The file is there whole or not at all. */
async function download(context: Context, path: string, passphrase: string): Promise<void> {
  const temporary = `${path}.tmp`;
  const bytes = await context.client().postForStream("/muster/backup", { Passphrase: passphrase });
  try {
    await pipeline(bytes, createWriteStream(temporary, { mode: 0o600, flush: true }));
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    await rm(temporary, { force: true });
    const message = `cannot write the backup to ${path}: ${errorMessage(cause)}`;
    throw new ClusterError("Unavailable", message, { cause });
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
