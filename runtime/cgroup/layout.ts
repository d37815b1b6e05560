/** How a machine's control groups are laid out: which kernel interface, mounted where. */
export interface CgroupLayout {
  /** `hybrid`: version 1 controllers beside an empty version 2 hierarchy, as older systemd does. */
  readonly kind: "v1" | "v2" | "hybrid";
  /** Mount points of version 1 by controller, and `name=systemd` when there is one; empty with v2. */
  readonly v1: Readonly<Record<string, string>>;
  /** Mount point of version 2; empty with v1. */
  readonly unified: string;
  /** Controllers of version 1 that we have mounted. */
  readonly added: readonly string[];
}

/** Where a controller is read and written: the only place that knows both versions' trees. */
export type Controller = "memory" | "cpu" | "cpuacct" | "pids" | "freezer" | "blkio";

/** What our mounts say they were mounted from. */
export const OUR_MOUNTS = "muster";

const NAMED = /^name=/;
/** As its mounts name them. */
export const V1_CONTROLLERS: ReadonlySet<string> = new Set(
  "blkio cpu cpuacct cpuset devices freezer hugetlb memory misc net_cls net_prio perf_event pids rdma".split(
    " ",
  ),
);

/**
 * Reads the layout from the text of /proc/self/mountinfo.
 *
 * @returns undefined when no cgroup file system is mounted.
 * Source: proc(5): `id parent major:minor root mountpoint options optional… - type source superoptions`.
 */
export function findCgroupLayout(mountinfo: string): CgroupLayout | undefined {
  const v1: Record<string, string> = {};
  const added: string[] = [];
  let unified = "";
  for (const line of mountinfo.split("\n")) {
    const [left = "", right = ""] = line.split(" - ");
    const mountPoint = unescapeOctal(left.split(" ")[4] ?? "");
    const [type, source, options = ""] = right.split(" ");
    if (type === "cgroup2" && unified === "") unified = mountPoint;
    if (type !== "cgroup") continue;
    for (const name of options.split(","))
      if (V1_CONTROLLERS.has(name) || NAMED.test(name)) v1[name] ??= mountPoint;
    if (source === OUR_MOUNTS)
      added.push(...options.split(",").filter((name) => V1_CONTROLLERS.has(name)));
  }
  const hasV1 = Object.keys(v1).length > 0;
  if (!hasV1 && unified === "") return undefined;
  return { kind: hasV1 ? (unified === "" ? "v1" : "hybrid") : "v2", v1, unified, added };
}

/** The directory of `group` for one controller; undefined when the machine does not have the controller. */
export function findControllerDir(
  layout: CgroupLayout,
  controller: Controller,
  group: string,
): string | undefined {
  if (layout.kind === "v2") return layout.unified + group;
  const mountPoint = layout.v1[controller];
  return mountPoint === undefined ? undefined : mountPoint + group;
}

/** The directories of `group` in every hierarchy: what must go when the group goes. */
export function allDirs(layout: CgroupLayout, group: string): string[] {
  const mountPoints = new Set(Object.values(layout.v1));
  if (layout.unified !== "") mountPoints.add(layout.unified);
  return [...mountPoints].map((mountPoint) => mountPoint + group);
}

/** Of version 1: what accounts, and what systemd kills services by. Not cpuset: a fresh one has no CPU and takes no process. */
const JOINED = ["cpu", "cpuacct", "memory", "pids", "name=systemd"];

/** The directories of `group` in which a process is put to be accounted there. */
export function joinDirs(layout: CgroupLayout, group: string): string[] {
  const mountPoints = new Set(JOINED.flatMap((name) => layout.v1[name] ?? []));
  if (layout.unified !== "") mountPoints.add(layout.unified);
  return [...mountPoints].map((mountPoint) => mountPoint + group);
}

/**
 * The directory of the group a process is in, in one hierarchy: version 2's where there is one.
 *
 * @param memberships text of its /proc/…/cgroup: `id:controllers:group` a line, cgroups(7).
 */
export function findOwnDir(layout: CgroupLayout, memberships: string): string | undefined {
  for (const line of memberships.split("\n")) {
    const [, controllers = "", group = ""] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    const first = controllers.split(",")[0] ?? "";
    const isUnified = line.startsWith("0::") && layout.unified !== "";
    const mountPoint = isUnified ? layout.unified : layout.unified === "" && layout.v1[first];
    if (mountPoint) return mountPoint + group.replace(/\/$/, "");
  }
  return undefined;
}

/** mountinfo writes space, tab, newline and backslash as three octal digits. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
