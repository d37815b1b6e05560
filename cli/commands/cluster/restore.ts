import { createReadStream } from "node:fs";
import { access, constants } from "node:fs/promises";
import type { Command } from "commander";
import { ClusterError } from "../../../core/errors.ts";
import type { Context } from "../../context.ts";
import { readSecretFile } from "../../flags/secret-file.ts";

interface RestoreOptions {
  readonly passphraseFile: string;
  readonly advertiseAddr?: string;
  readonly listenAddr?: string;
}

export function addClusterRestore(parent: Command, context: Context): void {
  parent
    .command("restore")
    .description("Make this node, which is in no swarm, the only manager of a backup's swarm")
    .argument("<file>", "Checked whole before anything is changed")
    .requiredOption("--passphrase-file <file>", "What it was made with; - for standard input")
    .option("--advertise-addr <addr>", "Where others reach this node: IP or interface[:port]")
    .option("--listen-addr <addr>", "Where managers listen")
    .action(async (path: string, options: RestoreOptions) => {
      const passphrase = readSecretFile(options.passphraseFile, "passphrase");
      await access(path, constants.R_OK).catch((cause: NodeJS.ErrnoException) => {
        throw new ClusterError("NotFound", `cannot read the backup ${path} (${cause.code})`);
      });
      const { advertiseAddr = "", listenAddr = "" } = options;
      const answer = await context.client().upload("/muster/restore", createReadStream(path), {
        query: { advertiseAddr, listenAddr },
        headers: { "X-Muster-Passphrase": Buffer.from(passphrase).toString("base64url") },
      });
      context.print(`Swarm restored: current node (${JSON.parse(answer)}) is now its only manager.

Workers find it if it is where a manager was; else start their musterd with --manager ADDRESS.
Former managers become workers when they come back; promote those you want.
`);
    });
}
