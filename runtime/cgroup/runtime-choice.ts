import type { CgroupLayout } from "./layout.ts";

/** OCI runtimes we know how to choose between; any other is used when it is named. */
export type KnownRuntime = "crun" | "runc";

export const KNOWN_RUNTIMES: readonly KnownRuntime[] = ["crun", "runc"];

/**
 * The OCI runtimes that fit a machine, the one to prefer first: crun, which makes a container in half of runc's time, but for
 * a hybrid layout whose version 2 has controllers, where it does nothing at all.
 */
export function fittingRuntimes(
  kind: CgroupLayout["kind"],
  unifiedControllers: string,
  installed: ReadonlySet<KnownRuntime>,
): KnownRuntime[] {
  const fits = { crun: kind !== "hybrid" || unifiedControllers === "", runc: true };
  return KNOWN_RUNTIMES.filter((name) => fits[name] && installed.has(name));
}
