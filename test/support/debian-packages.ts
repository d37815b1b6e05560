import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What programs in C need beside themselves. */
const LIBRARIES = /^(lib|zlib)/;

/** What tests and the demo fetch and build once per machine. Safe to delete. */
export const TEST_CACHE = process.env.MUSTER_TEST_CACHE ?? "/var/cache/muster-test";

const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
/** Of a recipe; raise it when this file makes something else of the same names. */
const VERSION = 1;

/**
 * Unpacks Debian packages into a directory without installing them, once per machine.
 *
 * @param withLibraries also the libraries they depend on: enough to run them in a root file system of their own.
 * @param follow with them, the dependencies whose names match are followed in place of libraries alone.
 * @returns the directory; it is shared, do not write to it.
 */
export async function unpackPackages(
  names: readonly string[],
  {
    withLibraries = false,
    follow = LIBRARIES,
  }: { readonly withLibraries?: boolean; readonly follow?: RegExp } = {},
): Promise<string> {
  const other = follow === LIBRARIES ? {} : { follow: follow.source };
  const recipe = JSON.stringify({ VERSION, names, withLibraries, ...other });
  return cached("packages", recipe, async (directory) => {
    const debs = join(directory, "debs");
    const root = join(directory, "root");
    await mkdir(debs, { recursive: true });
    await mkdir(root);
    await downloadPackages(names, withLibraries ? follow : undefined, debs);
    for (const deb of readdirSync(debs)) await run("dpkg-deb", ["-x", join(debs, deb), root]);
    await rm(debs, { recursive: true });
  }).then((directory) => join(directory, "root"));
}

/**
 * Makes something once per machine and Debian release: `make` fills a new directory, which then gets its final name.
 *
 * Two processes may make the same at the same time; one of them wins.
 */
export async function cached(
  kind: string,
  recipe: string,
  make: (directory: string) => Promise<void>,
): Promise<string> {
  const release = await readFile("/etc/os-release", "utf8");
  const key = createHash("sha256").update(recipe).update(release).update(process.arch);
  const path = join(TEST_CACHE, kind, key.digest("hex").slice(0, 24));
  if (existsSync(path)) return path;
  const temporary = join(TEST_CACHE, "tmp", randomUUID());
  await mkdir(temporary, { recursive: true });
  await mkdir(join(TEST_CACHE, kind), { recursive: true });
  try {
    await make(temporary);
    await rename(temporary, path);
  } catch (error) {
    // ENOTEMPTY: another process was faster.
    if (!existsSync(path)) throw error;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return path;
}

/** A machine that was never updated has no lists of packages: then they are fetched, once. */
async function downloadPackages(
  names: readonly string[],
  follow: RegExp | undefined,
  directory: string,
): Promise<void> {
  const download = async (): Promise<void> => {
    const all = follow === undefined ? names : await withDependencies(names, follow);
    await apt("apt-get", ["download", "-o", "APT::Sandbox::User=root", ...all], directory);
  };
  try {
    await download();
  } catch {
    await apt("apt-get", ["update"], directory);
    await download();
  }
}

/** Not all dependencies: a web server also depends on Perl, which its programs do not load. */
async function withDependencies(
  names: readonly string[],
  follow: RegExp,
): Promise<readonly string[]> {
  const found = new Set(names);
  // All of a round at once: each call reads the whole list of packages.
  for (let round = names; round.length > 0; ) {
    const output = await apt("apt-cache", ["depends", "--important", ...round], "/");
    const named = [...output.matchAll(/^ [ |](?:Pre)?Depends: ([^<\s]+)$/gm)].map(
      ([, dependency = ""]) => dependency,
    );
    round = [...new Set(named)].filter(
      (name) => follow.test(name) && !name.endsWith("-perl") && !found.has(name),
    );
    for (const name of round) found.add(name);
  }
  return [...found];
}

async function apt(command: string, args: readonly string[], cwd: string): Promise<string> {
  const env = { ...process.env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" };
  const { stdout } = await run(command, args, { cwd, env, maxBuffer: OUTPUT_BYTES_MAX });
  return stdout;
}
