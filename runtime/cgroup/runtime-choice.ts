import type { CgroupLayout } from "./layout.ts";

/** OCI runtimes we know how to choose between; any other is used when named. */
export type KnownRuntime = "crun" | "runc";

/**
 * Which OCI runtime fits a machine: crun, several times faster, where control groups are version 2 alone; it refuses the
 * hybrid layout. Else runc, or whichever there is.
 *
 * @returns undefined when there is none that fits.
 */
export function chooseRuntime(
  kind: CgroupLayout["kind"],
  installed: ReadonlySet<KnownRuntime>,
): KnownRuntime | undefined {
  if (kind === "v2" && installed.has("crun")) return "crun";
  if (installed.has("runc")) return "runc";
  return kind === "v1" && installed.has("crun") ? "crun" : undefined;
}
