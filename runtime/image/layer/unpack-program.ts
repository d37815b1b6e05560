import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ClusterError, errorMessage } from "../../../core/errors.ts";

/** A program that unpacks what we cannot: it reads standard input and writes standard output. */
export interface UnpackProgram {
  readonly name: string;
  readonly package: string;
}

const PROGRAMS: readonly (UnpackProgram & { readonly magic: string })[] = [
  { name: "xz", package: "xz-utils", magic: "\xfd7zXZ\0" },
  { name: "bzip2", package: "bzip2", magic: "BZh" },
];
const FOLDERS = ["/usr/bin", "/bin"];

/** By the first bytes of a file; undefined when no program is needed. */
export function findUnpackProgram(head: Uint8Array): UnpackProgram | undefined {
  const text = Buffer.from(head).toString("latin1");
  return PROGRAMS.find(({ magic }) => text.startsWith(magic));
}

/**
 * A file's unpacked content, by a program of the machine's.
 *
 * @throws {ClusterError} FailedPrecondition when it is not there; DataLoss when it fails.
 */
export async function* unpackByProgram(
  program: UnpackProgram,
  path: string,
): AsyncGenerator<Uint8Array> {
  const input = openSync(path, "r");
  try {
    yield* run(program, input);
  } finally {
    closeSync(input);
  }
}

/** The same for what comes from elsewhere. */
export async function* unpackStreamByProgram(
  program: UnpackProgram,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* run(program, source);
}

async function* run(
  program: UnpackProgram,
  input: number | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const child = spawn(pathOf(program), ["-dc"], {
    stdio: [typeof input === "number" ? input : "pipe", "pipe", "ignore"],
    env: {},
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  // Whoever stops reading does not wait for it.
  ended.catch(() => {});
  const { stdin } = child;
  const sent =
    typeof input === "number" || stdin === null ? Promise.resolve() : pipeline(input, stdin);
  // A program that ends early closes its input; its own code says why.
  sent.catch(() => {});
  try {
    yield* child.stdout as Readable;
    const code = await ended;
    if (code !== 0) throw new ClusterError("DataLoss", `damaged or truncated ${program.name} data`);
  } catch (error) {
    if (error instanceof ClusterError) throw error;
    throw new ClusterError("Internal", `cannot run ${program.name}: ${errorMessage(error)}`);
  } finally {
    child.kill("SIGKILL");
  }
}

function pathOf({ name, package: wanted }: UnpackProgram): string {
  const path = FOLDERS.map((folder) => `${folder}/${name}`).find(existsSync);
  if (path !== undefined) return path;
  throw new ClusterError(
    "FailedPrecondition",
    `cannot unpack ${name} data: no ${name} found: apt-get install ${wanted}`,
  );
}
