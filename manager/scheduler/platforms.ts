import type { Platform } from "../../proto/gen/objects.ts";
import type { StoredNode } from "../store/objects.ts";

/** Names by which Go and the kernel know the same processors. */
const ARCHITECTURES = new Map([
  ["x86_64", "amd64"],
  ["x86-64", "amd64"],
  ["i386", "386"],
  ["i686", "386"],
  ["aarch64", "arm64"],
  ["armv7l", "arm"],
  ["armv6l", "arm"],
]);

/** Whether a node can run an image made for one of `platforms`; an empty list, or empty parts, fit every node. */
export function meetsPlatforms(platforms: readonly Platform[], node: StoredNode): boolean {
  if (platforms.length === 0) return true;
  const own = node.description?.platform;
  if (own === undefined) return false;
  return platforms.some(
    ({ os, architecture }) =>
      (os === "" || os.toLowerCase() === own.os.toLowerCase()) &&
      (architecture === "" || normal(architecture) === normal(own.architecture)),
  );
}

function normal(architecture: string): string {
  const name = architecture.toLowerCase();
  return ARCHITECTURES.get(name) ?? name;
}
