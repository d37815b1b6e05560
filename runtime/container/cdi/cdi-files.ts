import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ClusterError, errorMessage } from "../../../core/errors.ts";
import { type CdiEdits, type CdiSpec, parseCdiSpec, planCdiEdits } from "./cdi-spec.ts";

/** Where vendors put their files; those of this boot come before those of the machine. */
export const CDI_DIRS = ["/var/run/cdi", "/etc/cdi"];
const FILE_BYTES_MAX = 4 * 1024 * 1024;

/**
 * What the vendors' files say of some devices. They are read anew each time: drivers write them when they come and go.
 *
 * @throws {ClusterError} InvalidArgument for devices that no file has, and for a file that is none when it might have had them.
 */
export function findCdiEdits(names: readonly string[], dirs = CDI_DIRS): CdiEdits {
  if (names.length === 0) return planCdiEdits([], []);
  const { specs, failures } = readSpecs(dirs);
  try {
    return planCdiEdits(specs, names);
  } catch (error) {
    if (failures.length === 0) throw error;
    const message = `${errorMessage(error)} (not read: ${failures.join("; ")})`;
    throw new ClusterError("InvalidArgument", message, { cause: error });
  }
}

/** The devices that the vendors' files have now. */
export function listCdiDevices(dirs = CDI_DIRS): string[] {
  return [...new Set(readSpecs(dirs).specs.flatMap(({ devices }) => [...devices.keys()]))].sort();
}

function readSpecs(dirs: readonly string[]): {
  readonly specs: readonly CdiSpec[];
  readonly failures: readonly string[];
} {
  const specs: CdiSpec[] = [];
  const failures: string[] = [];
  for (const path of dirs.flatMap(filesOf)) {
    try {
      specs.push(parseCdiSpec(readFileSync(path, "utf8").slice(0, FILE_BYTES_MAX)));
    } catch (error) {
      failures.push(`${path}: ${errorMessage(error)}`);
    }
  }
  return { specs, failures };
}

/** YAML is not read: nvidia-ctk and its like write JSON when they are asked for it. */
function filesOf(dir: string): string[] {
  try {
    return readdirSync(dir)
      .filter((name) => name.endsWith(".json"))
      .sort()
      .map((name) => join(dir, name));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
