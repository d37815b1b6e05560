import { lstatSync, readdirSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { ClusterError } from "../../core/errors.ts";
import type { DeviceMapping } from "./settings.ts";
import type { HostDevice } from "./spec/devices.ts";

/** The host's devices as a container may get them. */

const DEVICES_DIR = "/dev";
const DEPTH_MAX = 8;
const MODE_BITS = 0o7777;
/** Of a terminal: what the container has of its own below these is not to be replaced. Source: moby, HostDevices. */
const OWN_NAMES = new Set(["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", "console"]);

/**
 * Finds the devices of a mapping; those in it when it names a directory.
 *
 * @throws {ClusterError} InvalidArgument when there is none. Docker's words.
 */
export function findDevices({ hostPath, containerPath, permissions }: DeviceMapping): HostDevice[] {
  const found = statOf(hostPath);
  if (found?.isDirectory() === true) {
    const inside = walk(hostPath, containerPath, permissions, DEPTH_MAX);
    if (inside.length > 0) return inside;
  }
  const device = found && toDevice(found, containerPath, permissions);
  if (device !== undefined) return [device];
  const reason = found === undefined ? "no such file or directory" : "not a device node";
  throw new ClusterError(
    "InvalidArgument",
    `error gathering device information while adding custom device "${hostPath}": ${reason}`,
  );
}

/** Every device there is, for a container with all privileges. */
export function allDevices(): HostDevice[] {
  return walk(DEVICES_DIR, DEVICES_DIR, "rwm", DEPTH_MAX);
}

/** Numbers of the block device at a path, or of the one its link leads to. */
export function blockDeviceNumbers(
  path: string,
): { readonly major: number; readonly minor: number } | undefined {
  const found = statOf(path);
  if (found?.isBlockDevice() !== true) return undefined;
  return numbersOf(found.rdev);
}

function walk(dir: string, target: string, permissions: string, depth: number): HostDevice[] {
  if (depth === 0) return [];
  const devices: HostDevice[] = [];
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (dir === DEVICES_DIR && OWN_NAMES.has(entry.name)) continue;
    const [from, to] = [join(dir, entry.name), join(target, entry.name)];
    if (entry.isDirectory()) devices.push(...walk(from, to, permissions, depth - 1));
    else if (entry.isCharacterDevice() || entry.isBlockDevice()) {
      const device = toDevice(lstatSync(from), to, permissions);
      if (device !== undefined) devices.push(device);
    }
  }
  return devices;
}

function toDevice(found: Stats, path: string, permissions: string): HostDevice | undefined {
  const isBlock = found.isBlockDevice();
  if (!isBlock && !found.isCharacterDevice()) return undefined;
  const type = isBlock ? "b" : "c";
  const { uid, gid, mode, rdev } = found;
  return { path, type, ...numbersOf(rdev), fileMode: mode & MODE_BITS, uid, gid, permissions };
}

/** Source: glibc, gnu_dev_major and gnu_dev_minor; Node gives st_rdev as a number of up to 64 bits. */
function numbersOf(rdev: number): { readonly major: number; readonly minor: number } {
  const device = BigInt(rdev);
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return { major: Number(major), minor: Number(minor) };
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}
