import { readFileSync, writeFileSync } from "node:fs";

/**
 * Sets a kernel setting of the current network namespace: "net/ipv4/ip_forward".
 *
 * @returns whether it was another value before; false also where the kernel has no such setting.
 */
export function setSysctl(name: string, value: string): boolean {
  const path = `/proc/sys/${name}`;
  try {
    if (readFileSync(path, "utf8").trim() === value) return false;
    writeFileSync(path, value);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}
