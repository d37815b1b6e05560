import { randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { ClusterError } from "../../core/errors.ts";
import { parseIgnoreFile } from "../../core/ignore-file.ts";
import type { ContextFolder } from "./pack-context.ts";

const IGNORE_FILE = ".dockerignore";
const DEFAULT_NAME = "Dockerfile";
const NONCE_BYTES = 8;

/** A context, and where its Dockerfile is in it. */
export interface OpenedContext {
  readonly folder: ContextFolder;
  readonly dockerfile: string;
}

/**
 * Opens a folder as the context of a build. A Dockerfile from elsewhere goes along under a name nobody has; so does one that
 * comes from standard input.
 *
 * @param file as given; undefined: `Dockerfile` in the folder.
 * @param sent the Dockerfile's text, when it is not a file. @throws {ClusterError} NotFound, InvalidArgument.
 */
export function openContext(
  path: string,
  file: string | undefined,
  sent: Uint8Array | undefined,
): OpenedContext {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new ClusterError(
      "NotFound",
      `unable to prepare context: path ${JSON.stringify(path)} not found`,
    );
  if (sent !== undefined) return withOwnName(path, join(path, DEFAULT_NAME), sent);
  const dockerfile = resolve(file ?? join(path, DEFAULT_NAME));
  const inside = relative(resolve(path), dockerfile);
  if (!inside.startsWith("..")) {
    const rules = readRules(path, dockerfile);
    const always = [inside, IGNORE_FILE];
    return { folder: { path, rules, always, added: new Map() }, dockerfile: inside };
  }
  return withOwnName(path, dockerfile, readFile(dockerfile));
}

function withOwnName(path: string, dockerfile: string, text: Uint8Array): OpenedContext {
  const name = `.dockerfile.${randomBytes(NONCE_BYTES).toString("hex")}`;
  const added = new Map([[name, text]]);
  const rules = readRules(path, dockerfile);
  return { folder: { path, rules, always: [IGNORE_FILE], added }, dockerfile: name };
}

/** The Dockerfile's own file wins over the folder's. */
function readRules(path: string, dockerfile: string): ContextFolder["rules"] {
  const own = join(dirname(dockerfile), `${basename(dockerfile)}${IGNORE_FILE}`);
  for (const file of [own, join(path, IGNORE_FILE)])
    if (statSync(file, { throwIfNoEntry: false })?.isFile() === true)
      return parseIgnoreFile(readFileSync(file, "utf8"));
  return parseIgnoreFile("");
}

function readFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ClusterError("NotFound", `cannot read the Dockerfile ${path} (${code})`, { cause });
  }
}
