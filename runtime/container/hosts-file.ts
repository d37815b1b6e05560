import { readFileSync, statSync, writeFileSync } from "node:fs";
import { networkFilesOf } from "./bundle.ts";
import { withHosts, withoutHosts } from "./hosts.ts";
import type { ContainerPaths } from "./paths.ts";

/** A container writes into its file as it likes; what is longer stays as it is. */
const HOSTS_BYTES_MAX = 1024 * 1024;

/** A container that runs has addresses more. */
export function addToHosts(
  paths: ContainerPaths,
  hostname: string,
  addresses: readonly string[],
): void {
  rewrite(paths, (text) => withHosts(text, hostname, addresses));
}

/** It has lost addresses. */
export function removeFromHosts(paths: ContainerPaths, addresses: readonly string[]): void {
  rewrite(paths, (text) => withoutHosts(text, addresses));
}

/** In place: the container has the file itself, not its name. */
function rewrite(paths: ContainerPaths, change: (text: string) => string): void {
  const { hosts } = networkFilesOf(paths);
  if (statSync(hosts).size > HOSTS_BYTES_MAX) return;
  writeFileSync(hosts, change(readFileSync(hosts, "utf8")));
}
