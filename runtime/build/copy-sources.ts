import { createHash, type Hash } from "node:crypto";
import { ClusterError } from "../../core/errors.ts";
import { compileGlob } from "../../core/glob.ts";
import { type TarEntry, TarReader, type TarSink } from "../../core/tar/tar-reader.ts";
import { TreePacker } from "../image/layer/pack-tree.ts";
import { DEPTH_MAX, OpenDirectory, OpenEntry } from "../linux/open-directory.ts";
import { findInRoot } from "../linux/open-in-root.ts";
import { findForbidden, isPattern, readSource } from "./copy-target.ts";
import type { InlineFile } from "./dockerfile/instruction.ts";
import { isUrl } from "./remote/remote-url.ts";

/** One file or directory that COPY takes, and what it is. */
export interface CopySource {
  /** What the path is below. */
  readonly root: string;
  /** It was fetched: an archive is copied as it is. */
  readonly isFetched: boolean;
  /** From the root of where it is; empty: all of it. */
  readonly path: string;
  readonly isDirectory: boolean;
  /** `file:…` or `dir:…`: the same for the same content, names, owners and modes; times do not matter. */
  readonly digest: string;
}

/** How sources are looked at. */
export interface SourceOptions {
  readonly command: "COPY" | "ADD";
  /** Owners matter: they are kept. */
  readonly keepsOwners: boolean;
  /** It is the context, and not another stage's or an image's files. */
  readonly isContext: boolean;
  /** Brings what is at a URL, as the one file of a new folder. */
  readonly fetch: (url: string) => Promise<FetchedFile>;
}

/** A file that was fetched. */
export interface FetchedFile {
  readonly root: string;
  readonly fileName: string;
}

const O_PATH = 0o10000000;
/** Of all patterns of one instruction. */
const MATCHES_MAX = 100_000;

/**
 * Finds what COPY is to take below `root`, whose content nobody trusts: links lead nowhere outside.
 *
 * @throws {ClusterError} InvalidArgument, NotFound. Docker's words.
 */
export async function findSources(
  root: string,
  sources: readonly string[],
  options: SourceOptions,
): Promise<readonly CopySource[]> {
  const found: CopySource[] = [];
  for (const source of sources) {
    if (isUrl(source)) found.push(await fetchSource(source, options));
    else
      for (const path of isPattern(source) ? matchesOf(root, source) : [pathOf(source, options)])
        found.push({ ...(await lookAt(root, path, options)), root, isFetched: false });
    if (found.length > MATCHES_MAX)
      throw new ClusterError("ResourceExhausted", `more than ${MATCHES_MAX} files to copy`);
  }
  return found;
}

/** @throws {ClusterError} InvalidArgument. Docker's words. */
function pathOf(source: string, { command }: SourceOptions): string {
  const forbidden = findForbidden(source);
  if (forbidden === undefined) return readSource(source);
  throw new ClusterError(
    "InvalidArgument",
    `${command} failed: forbidden path outside the build context: ${forbidden.slice(0, 1000)} ()`,
  );
}

/** One digest of several. */
export function digestOfAll(digests: readonly string[]): string {
  const [only = ""] = digests;
  return digests.length === 1 ? only : `multi:${hashOf(digests.join(","))}`;
}

/** Of a text of the Dockerfile that becomes a file. */
export function inlineDigest({ name, content }: InlineFile): string {
  return `inline:${hashOf(JSON.stringify([name, content]))}`;
}

/** Holds a source; links are followed, the last part too. @throws {ClusterError} NotFound. */
export function holdSource(root: string, path: string): OpenEntry {
  const fd = findInRoot(root, `/${path}`, O_PATH);
  if (fd !== undefined) return new OpenEntry(fd);
  throw new ClusterError("NotFound", `stat ${path}: file does not exist`);
}

async function fetchSource(url: string, options: SourceOptions): Promise<CopySource> {
  const { command, fetch } = options;
  if (command === "COPY")
    throw new ClusterError("InvalidArgument", "COPY failed: source can't be a URL for COPY");
  const { root, fileName } = await fetch(url).catch((error: unknown) => {
    if (!(error instanceof ClusterError) || error.code === "Cancelled") throw error;
    throw new ClusterError(error.code, `ADD failed: ${error.message}`, { cause: error });
  });
  return { ...(await lookAt(root, fileName, options)), root, isFetched: true };
}

async function lookAt(
  root: string,
  path: string,
  options: SourceOptions,
): Promise<Pick<CopySource, "path" | "isDirectory" | "digest">> {
  const fd = findInRoot(root, `/${path}`, O_PATH);
  if (fd === undefined) {
    const where = options.isContext
      ? "file not found in build context or excluded by .dockerignore: "
      : "";
    throw new ClusterError(
      "NotFound",
      `${options.command} failed: ${where}stat ${path}: file does not exist`,
    );
  }
  const entry = new OpenEntry(fd);
  const isDirectory = entry.facts.isDirectory();
  const digest = await digestOf(entry, options.keepsOwners);
  return { path, isDirectory, digest: `${isDirectory ? "dir" : "file"}:${digest}` };
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Of what is in it and how it is kept, not of its own name. Closes the entry. */
async function digestOf(entry: OpenEntry, keepsOwners: boolean): Promise<string> {
  const hash = createHash("sha256");
  const reader = new TarReader(new HashSink(hash, keepsOwners));
  for await (const chunk of new TreePacker("files").packEntry(entry, ".")) reader.push(chunk);
  return hash.digest("hex");
}

class HashSink implements TarSink {
  readonly #hash: Hash;
  readonly #keepsOwners: boolean;

  constructor(hash: Hash, keepsOwners: boolean) {
    this.#hash = hash;
    this.#keepsOwners = keepsOwners;
  }

  onEntry({
    type,
    name,
    linkName,
    mode,
    uid,
    gid,
    sizeBytes,
    major,
    minor,
    xattrs,
  }: TarEntry): void {
    const owner = this.#keepsOwners ? [uid, gid] : [];
    const attributes = [...xattrs].map(([key, value]) => [key, Buffer.from(value).toString("hex")]);
    const facts = [type, name, linkName, mode, owner, sizeBytes, major, minor, attributes];
    this.#hash.update(JSON.stringify(facts));
  }
  onContent(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }
  onEntryEnd(): void {}
}

/** Paths that fit a pattern, in the order of names. No deeper than the pattern is: a star stops at a slash. */
function matchesOf(root: string, source: string): readonly string[] {
  const pattern = source.replace(/^\/+/, "").replace(/^(?:\.\/)+/, "");
  const depth = pattern.split("/").length;
  const directory = OpenDirectory.open(root);
  try {
    const fits = compileGlob(pattern);
    return [...pathsIn(directory, "", Math.min(depth, DEPTH_MAX))].filter(fits);
  } finally {
    directory.close();
  }
}

function* pathsIn(directory: OpenDirectory, prefix: string, depth: number): Generator<string> {
  for (const name of directory.names()) {
    const path = prefix + Buffer.from(name, "latin1").toString();
    yield path;
    if (depth <= 1) continue;
    const entry = directory.find(name);
    if (entry === undefined) continue;
    try {
      if (!entry.facts.isDirectory()) continue;
      const inner = entry.openDirectory();
      try {
        yield* pathsIn(inner, `${path}/`, depth - 1);
      } finally {
        inner.close();
      }
    } finally {
      entry.close();
    }
  }
}
