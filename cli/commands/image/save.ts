import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { ClusterError, errorMessage } from "../../../core/errors.ts";
import type { Context } from "../../context.ts";

export function addSave(parent: Command, context: Context): void {
  parent
    .command("save")
    .description("Pack images into an archive: that of 'docker save', and OCI's layout")
    .argument("<image...>")
    .option("-o, --output <file>", "There whole or not at all (default: standard output)")
    .action(async (names: string[], { output }: { output?: string }) => {
      if (output === undefined && process.stdout.isTTY)
        throw new ClusterError(
          "InvalidArgument",
          "cannot write an archive to a terminal: use -o or redirect it",
        );
      const bytes = await context.client().stream("/images/get", { names });
      if (output === undefined) await pipeline(bytes, process.stdout, { end: false });
      else await writeWhole(bytes, output);
    });
}

async function writeWhole(bytes: NodeJS.ReadableStream, path: string): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await pipeline(bytes, createWriteStream(temporary, { mode: 0o600 }));
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    const message = `cannot write the archive to ${path}: ${errorMessage(cause)}`;
    throw new ClusterError("Unavailable", message, { cause });
  }
}
