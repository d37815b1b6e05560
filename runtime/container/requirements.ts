import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { CgroupLayout } from "../cgroup/layout.ts";
import { fittingRuntimes, KNOWN_RUNTIMES, type KnownRuntime } from "../cgroup/runtime-choice.ts";
import { probeCgroupLayout } from "../linux/cgroups.ts";
import { runProgram } from "../linux/run.ts";
import { StrayHierarchies, unifiedControllers } from "../linux/stray-hierarchies.ts";
import type { RuntimeProgram } from "./oci-runtime.ts";
import { isOldRunc, type ProgramVersion, parseVersion } from "./runtime-version.ts";
import type { SeccompProfile } from "./spec/seccomp.ts";

/** Finding what containers need on this machine, and saying what is missing. */

/** Where Debian keeps programs of the system, should PATH lack them. */
const SYSTEM_PATH = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const SECCOMP_PROFILE = "/usr/share/containers/seccomp.json";
/** Under any of these names, best first. */
const INIT_PROGRAMS = ["docker-init", "tini-static", "catatonit"];
const VERSION_TIMEOUT_MS = 10_000;
const VERSION_BYTES_MAX = 4096;

/** @throws {ClusterError} PermissionDenied. */
export function requireRoot(): void {
  if (process.geteuid?.() === 0) return;
  throw new ClusterError("PermissionDenied", "cannot run containers: not root: start it as root");
}

/** @throws {ClusterError} FailedPrecondition naming the package. */
export function requireConmon(): string {
  return requireProgram("conmon", "conmon");
}

/**
 * The OCI runtimes of this machine, the default first: those that are installed and fit its control groups, and those that
 * its owner names.
 *
 * @param asked.defaultName empty: the fastest that fits.
 * @param asked.added paths by name.
 * @throws {ClusterError} FailedPrecondition naming the package or the program that is missing.
 */
export async function requireRuntimes(
  asked: { readonly defaultName: string; readonly added: Readonly<Record<string, string>> },
  layout: CgroupLayout,
  clock: Clock,
  log: Log,
): Promise<[RuntimeProgram, ...RuntimeProgram[]]> {
  const paths = new Map<string, string>();
  for (const name of fittingRuntimes(layout.kind, unifiedControllers(layout), installedRuntimes()))
    paths.set(name, requireProgram(name, name));
  for (const [name, path] of Object.entries(asked.added)) paths.set(name, requirePath(name, path));
  const { defaultName } = asked;
  if (defaultName !== "" && !paths.has(defaultName))
    paths.set(defaultName, requireProgram(defaultName, defaultName));
  const found = await Promise.all(
    [...paths].map(async ([name, path]) => ({
      ...(await describeProgram(path, clock)),
      name,
      path,
    })),
  );
  const first = found.find(({ name }) => name === defaultName) ?? found[0];
  if (first === undefined) throw missing("runc", "runc");
  if (first.name === "runc" && isOldRunc(first.version))
    log.warn("this runc has known ways out of a container: upgrade the package runc", {
      version: first.version,
    });
  return [first, ...found.filter((program) => program !== first)];
}

/** Makes room for crun where a hybrid layout of control groups keeps it from working. Without, runc is used. */
export function claimStrayHierarchies(log: Log): StrayHierarchies {
  const strays = new StrayHierarchies();
  if (findProgram("crun") === undefined) return strays;
  try {
    strays.claim(probeCgroupLayout());
  } catch (error) {
    log.warn("crun cannot be used: a hierarchy of control groups could not be mounted", { error });
  }
  return strays;
}

/** What programs say of themselves; those without a path are left out. */
export async function describePrograms(
  paths: readonly string[],
  clock: Clock,
): Promise<ProgramVersion[]> {
  const found = paths.filter((path) => path !== "");
  return Promise.all(found.map(async (path) => describeProgram(path, clock)));
}

/**
 * The system call filter; undefined when the kernel has none.
 *
 * @throws {ClusterError} FailedPrecondition when there is no profile: without one containers would be less confined than
 *   people expect.
 */
export function requireSeccomp(): SeccompProfile | undefined {
  if (!readFileSync("/proc/self/status", "utf8").includes("\nSeccomp:")) return undefined;
  if (!existsSync(SECCOMP_PROFILE))
    throw missing(SECCOMP_PROFILE, "golang-github-containers-common");
  return JSON.parse(readFileSync(SECCOMP_PROFILE, "utf8")) as SeccompProfile;
}

/** Whether the kernel confines programs by AppArmor's profiles. */
export function hasApparmor(): boolean {
  const file = "/sys/module/apparmor/parameters/enabled";
  return existsSync(file) && readFileSync(file, "utf8").startsWith("Y");
}

/** Path of an init program for containers; empty when there is none. It must be static: the image has no libraries for it. */
export function findInit(): string {
  for (const name of INIT_PROGRAMS) {
    const path = findProgram(name);
    if (path !== undefined) return path;
  }
  return "";
}

function installedRuntimes(): Set<KnownRuntime> {
  return new Set(KNOWN_RUNTIMES.filter((name) => findProgram(name) !== undefined));
}

function requirePath(name: string, path: string): string {
  if (isAbsolute(path) && isExecutable(path)) return path;
  throw new ClusterError(
    "FailedPrecondition",
    `cannot run containers: the OCI runtime ${name} is no program: ${path}`,
  );
}

function requireProgram(name: string, packageName: string): string {
  const path = findProgram(name);
  if (path !== undefined) return path;
  throw missing(name, packageName);
}

function missing(what: string, packageName: string): ClusterError {
  return new ClusterError(
    "FailedPrecondition",
    `cannot run containers: ${what} is not installed: apt-get install ${packageName}`,
  );
}

function findProgram(name: string): string | undefined {
  const dirs = [...(process.env.PATH ?? "").split(":").filter(isAbsolute), ...SYSTEM_PATH];
  return dirs.map((dir) => join(dir, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function describeProgram(path: string, clock: Clock): Promise<ProgramVersion> {
  const limits = { outputBytesMax: VERSION_BYTES_MAX, timeoutMs: VERSION_TIMEOUT_MS };
  const { output } = await runProgram({ path, args: ["--version"], ...limits }, clock);
  return { name: nameOf(path), ...parseVersion(output) };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
