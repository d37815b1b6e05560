import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { unpackPackages } from "./debian-packages.ts";

/** The path of Debian's own docker command line, unpacked once per machine and never installed. */
export async function debianDockerCli(): Promise<string> {
  const release = readFileSync("/etc/os-release", "utf8");
  // Debian 13 split the client from the engine.
  const name = /VERSION_ID="?12"?/.test(release) ? "docker.io" : "docker-cli";
  return join(await unpackPackages([name]), "usr/bin/docker");
}

/** A newer one than Debian's, on machines where somebody has put it. */
const NEWER_CLI = "/usr/local/bin/docker";

/** The stock command lines of this machine. */
export const DOCKER_CLIS: readonly {
  readonly name: string;
  readonly find: () => Promise<string>;
}[] = [
  { name: "Debian's", find: debianDockerCli },
  ...(existsSync(NEWER_CLI) ? [{ name: NEWER_CLI, find: async () => NEWER_CLI }] : []),
];
