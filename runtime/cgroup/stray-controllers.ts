import { type CgroupLayout, V1_CONTROLLERS } from "./layout.ts";

/** Version 2's names of controllers that version 1 calls otherwise. */
const V1_NAMES: Readonly<Record<string, string>> = { io: "blkio" };

/**
 * Controllers of a hybrid layout that no version 1 hierarchy has and nobody uses in version 2, by their names there. systemd
 * leaves none; where a machine's own set-up forgot one, some programs refuse to work.
 *
 * @param controllers text of version 2's root cgroup.controllers.
 * @param delegated text of its cgroup.subtree_control: what its groups use.
 */
export function strayControllers(
  layout: CgroupLayout,
  controllers: string,
  delegated: string,
): readonly string[] {
  if (layout.kind !== "hybrid" || delegated.trim() !== "") return [];
  const names = controllers.trim().split(" ").filter(Boolean);
  const strays = names.map((name) => V1_NAMES[name] ?? name);
  return strays.filter((name) => V1_CONTROLLERS.has(name) && layout.v1[name] === undefined);
}
