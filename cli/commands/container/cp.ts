import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { ClusterError, errorMessage } from "../../../core/errors.ts";
import type { Context } from "../../context.ts";
import { baseOf, type CopyTarget, parseCopyTarget, planCopy } from "../../copy/copy-target.ts";
import { localKind, packLocal } from "../../copy/pack-local.ts";
import { unpackLocal } from "../../copy/unpack-local.ts";
import { humanDiskSize } from "../../output/human.ts";
import { containerPath } from "./each.ts";

interface CpOptions {
  readonly archive?: boolean;
  readonly followLink?: boolean;
  readonly quiet?: boolean;
}

interface WireStat {
  readonly mode: number;
  readonly linkTarget: string;
}

type Inside = Extract<CopyTarget, { kind: "container" }>;

/** Of Go's os.FileMode. */
const DIRECTORY_BIT = 2 ** 31;

export function addContainerCp(parent: Command, context: Context): void {
  parent
    .command("cp")
    .description("Copy files between a container and this machine")
    .usage("[options] CONTAINER:PATH DEST|-\n       muster cp [options] SOURCE|- CONTAINER:PATH")
    .argument("<source>", "CONTAINER:PATH, a path, or - for an archive from standard input")
    .argument("<dest>", "CONTAINER:PATH, a path, or - for an archive to standard output")
    .option("-a, --archive", "Keep owners")
    .option("-L, --follow-link", "Copy what a link comes to instead of the link")
    .option("-q, --quiet", "Say nothing of what was copied")
    .action(async (source: string, dest: string, options: CpOptions) => {
      const [from, to] = [parseCopyTarget(source), parseCopyTarget(dest)];
      if (from.kind === "container" && to.kind === "container")
        throw new ClusterError("InvalidArgument", "copying between containers is not supported");
      try {
        const bytes = await copy(context, from, to, options);
        if (options.quiet !== true && to.kind !== "stream" && context.isTerminal)
          context.warn(`Successfully copied ${humanDiskSize(bytes)} to ${dest}\n`);
      } catch (cause) {
        if (cause instanceof ClusterError) throw cause;
        const message = `cannot copy ${source} to ${dest}: ${errorMessage(cause)}`;
        throw new ClusterError("Unavailable", message, { cause });
      }
    });
}

/** @returns how many bytes went over. */
async function copy(
  context: Context,
  from: CopyTarget,
  to: CopyTarget,
  options: CpOptions,
): Promise<number> {
  const counter = { bytes: 0 };
  if (from.kind === "container") await copyOut(context, from, to, options, counter);
  else if (to.kind === "container") await copyIn(context, from, to, options, counter);
  else throw new ClusterError("InvalidArgument", "must specify at least one container source");
  return counter.bytes;
}

interface Counter {
  bytes: number;
}

async function* counted(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  counter: Counter,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    counter.bytes += chunk.length;
    yield chunk;
  }
}

async function copyOut(
  context: Context,
  from: Inside,
  to: CopyTarget,
  { archive = false, followLink = false }: CpOptions,
  counter: Counter,
): Promise<void> {
  const first = await statInside(context, from);
  const isLink = first?.linkTarget !== undefined && first.linkTarget !== "";
  const path = followLink && isLink ? first.linkTarget : from.path;
  const bytes = await context.client().stream(containerPath(from.ref, "archive"), { path });
  if (to.kind === "stream") {
    if (process.stdout.isTTY)
      throw new ClusterError(
        "InvalidArgument",
        "cannot write an archive to a terminal: redirect it",
      );
    await pipeline(bytes, process.stdout, { end: false });
    return;
  }
  if (to.kind !== "local") return;
  const kind = isDirectory(readStat(bytes.headers["x-docker-container-path-stat"]))
    ? "directory"
    : "file";
  const plan = planCopy({ path, kind }, { path: to.path, kind: localKind(to.path, true) });
  if (localKind(plan.directory, true) !== "directory")
    throw new ClusterError(
      "NotFound",
      `cannot copy to ${to.path}: ${plan.directory} is no directory`,
    );
  // A link is copied under its own name, what it comes to under the link's.
  const own = baseOf(from.path);
  const name = plan.name ?? (path === from.path || own === "" ? undefined : own);
  await unpackLocal(counted(bytes, counter), plan.directory, {
    from: baseOf(path),
    to: name,
    keepsOwners: archive && process.getuid?.() === 0,
    warn: context.warn,
  });
}

async function copyIn(
  context: Context,
  from: CopyTarget,
  to: Inside,
  { archive = false, followLink = false }: CpOptions,
  counter: Counter,
): Promise<void> {
  const { path, kind } = await findInside(context, to);
  const send = (directory: string, bytes: NodeJS.ReadableStream) =>
    context.client().put(containerPath(to.ref, "archive"), bytes, {
      path: directory,
      noOverwriteDirNonDir: true,
      copyUIDGID: archive,
    });
  if (from.kind === "stream") {
    if (kind !== "directory")
      throw new ClusterError(
        "InvalidArgument",
        `destination "${to.ref}:${to.path}" must be a directory`,
      );
    await send(path, process.stdin);
  } else if (from.kind === "local") {
    const follows = followLink || /\/\.?$/.test(from.path);
    const fromKind = localKind(from.path, follows);
    if (fromKind === "nothing")
      throw new ClusterError("NotFound", `cannot copy ${from.path}: no such file or directory`);
    const plan = planCopy({ path: from.path, kind: fromKind }, { path, kind });
    const name = plan.name ?? (baseOf(from.path) || ".");
    const packed = packLocal(from.path, name, follows, {
      keepsOwners: archive,
      warn: context.warn,
    });
    await send(plan.directory, Readable.from(counted(packed, counter), { objectMode: false }));
  }
}

/** What is at the destination, links followed. */
async function findInside(context: Context, to: Inside) {
  const stat = await statInside(context, to);
  if (stat === undefined) return { path: to.path, kind: "nothing" as const };
  if (stat.linkTarget === "")
    return { path: to.path, kind: isDirectory(stat) ? ("directory" as const) : ("file" as const) };
  const path = stat.linkTarget;
  const end = await statInside(context, { ...to, path });
  if (end === undefined) return { path, kind: "nothing" as const };
  return { path, kind: isDirectory(end) ? ("directory" as const) : ("file" as const) };
}

/** Undefined when there is nothing. */
async function statInside(context: Context, { ref, path }: Inside): Promise<WireStat | undefined> {
  try {
    const headers = await context.client().head(containerPath(ref, "archive"), { path });
    return readStat(headers["x-docker-container-path-stat"]);
  } catch (error) {
    // Also when there is no such container: the next request says so.
    if (error instanceof ClusterError && error.code === "NotFound") return undefined;
    throw error;
  }
}

function readStat(header: string | string[] | undefined): WireStat {
  return JSON.parse(Buffer.from(String(header), "base64").toString()) as WireStat;
}

function isDirectory({ mode }: WireStat): boolean {
  return mode >= DIRECTORY_BIT;
}
