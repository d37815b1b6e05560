import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { chooseRuntime, type KnownRuntime } from "../cgroup/runtime-choice.ts";
import { runProgram } from "../linux/run.ts";
import type { RuntimeProgram } from "./oci-runtime.ts";
import { isOldRunc } from "./runtime-version.ts";
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
 * The OCI runtime to use: the one asked for by name or path, else what fits the cgroup layout.
 *
 * @throws {ClusterError} FailedPrecondition naming the package.
 */
export async function requireRuntime(
  asked: string | undefined,
  cgroupKind: "v1" | "v2" | "hybrid",
  clock: Clock,
  log: Log,
): Promise<RuntimeProgram> {
  const name = asked ?? chooseRuntime(cgroupKind, installedRuntimes()) ?? "runc";
  const path = isAbsolute(name) ? name : requireProgram(name, name);
  const version = await versionOf(path, clock);
  const program = { name: path.slice(path.lastIndexOf("/") + 1), path, version };
  if (program.name === "runc" && isOldRunc(version))
    log.warn("this runc has known ways out of a container: upgrade the package runc", { version });
  return program;
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
  const known: readonly KnownRuntime[] = ["crun", "runc"];
  return new Set(known.filter((name) => findProgram(name) !== undefined));
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

async function versionOf(path: string, clock: Clock): Promise<string> {
  const limits = { outputBytesMax: VERSION_BYTES_MAX, timeoutMs: VERSION_TIMEOUT_MS };
  const { output } = await runProgram({ path, args: ["--version"], ...limits }, clock);
  return /version ([0-9][^\s]*)/.exec(output)?.[1] ?? "";
}
