import { open } from "node:fs/promises";
import type { Command } from "commander";
import { ClusterError } from "../../../core/errors.ts";
import type { Context } from "../../context.ts";
import { platformJson } from "../../flags/platform.ts";
import { showTransfer } from "../../output/transfer.ts";
import { silenced } from "./pull.ts";

interface LoadFlags {
  readonly input?: string;
  readonly quiet?: boolean;
  readonly platform?: string;
}

export function addLoad(parent: Command, context: Context): void {
  parent
    .command("load")
    .description("Bring an image to this node from an archive of 'docker save' or of OCI's layout")
    .option("-i, --input <file>", "The archive (default: standard input)")
    .option("-q, --quiet", "Only names")
    .option("--platform <platform>", "Of an image for several: os/architecture[/variant]")
    .action(async ({ input, quiet, platform }: LoadFlags) => {
      if (input === undefined && process.stdin.isTTY)
        throw new ClusterError("InvalidArgument", "no archive was given: use -i or redirect one");
      const archive = input === undefined ? process.stdin : await openArchive(input);
      const view = quiet === true || !context.isTerminal ? silenced(context) : context;
      const stream = await context.client().uploadForStream("/images/load", archive, {
        platform: platformJson(platform),
      });
      await showTransfer(view, stream, (line) => context.print(line.stream ?? ""));
    });
}

/** @throws {ClusterError} `NotFound` when it cannot be read. */
export async function openArchive(path: string): Promise<NodeJS.ReadableStream> {
  const refusal = (reason: string | undefined, cause?: unknown) =>
    new ClusterError(
      "NotFound",
      `cannot read the archive ${path} (${reason}): give the path of a file`,
      { cause },
    );
  const file = await open(path).catch((cause: NodeJS.ErrnoException) => {
    throw refusal(cause.code, cause);
  });
  if (!(await file.stat()).isDirectory()) return file.createReadStream();
  await file.close();
  throw refusal("EISDIR");
}
