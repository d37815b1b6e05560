import { readFileSync } from "node:fs";
import { join } from "node:path";
import { unpackPackages } from "./debian-packages.ts";

/** The path of Debian's own docker command line, unpacked once per machine and never installed. */
export async function debianDockerCli(): Promise<string> {
  const release = readFileSync("/etc/os-release", "utf8");
  // Debian 13 split the client from the engine.
  const name = /VERSION_ID="?12"?/.test(release) ? "docker.io" : "docker-cli";
  return join(await unpackPackages([name]), "usr/bin/docker");
}
