import type { ContainerFacts, MountFacts } from "../../backends/containers.ts";
import { splitBind, trimSlash } from "./bind-text.ts";

/** What of a container says how its client asked for a mount. */
type Asked = Pick<ContainerFacts, "mounts"> & {
  readonly settings: Pick<ContainerFacts["settings"], "client">;
};

/** Docker's MountPoints: all that is mounted, but what `--tmpfs` asks for, which is shown as it was asked for alone. */
export function writeMountPoints({ mounts, settings }: Asked): Record<string, unknown>[] {
  const { Binds, Tmpfs, VolumesFrom, Mounts, Volumes } = settings.client;
  const modes = new Map((Array.isArray(Binds) ? Binds : []).map(modeOfBind));
  const hidden = new Set(Object.keys((Tmpfs as object | undefined) ?? {}).map(trimSlash));
  // Of a swarm's task nothing is known of what a client said: its mounts are named.
  const named = new Set(namesOf(Mounts).map(trimSlash));
  const isTask = [Binds, VolumesFrom, Mounts, Volumes].every((part) => part === undefined);
  return mounts
    .filter(({ type, target }) => type !== "tmpfs" || !hidden.has(trimSlash(target)))
    .map((mount) => {
      const target = trimSlash(mount.target);
      const isNamed = named.has(target) || (isTask && mount.anonymous !== true);
      return writeMountPoint(mount, modes.get(target) ?? (isNamed ? "" : undefined));
    });
}

/** @param mode as the client wrote it; undefined where it comes from the image or another container. */
function writeMountPoint(mount: MountFacts, mode: string | undefined): Record<string, unknown> {
  const { type, target, readOnly, source, hostPath } = mount;
  const common = { Type: type, Destination: target, Mode: mode ?? "", RW: !readOnly };
  switch (type) {
    case "tmpfs":
      return { ...common, Source: "", Propagation: "" };
    case "bind":
      return { ...common, Source: hostPath, Propagation: mount.propagation || "rprivate" };
    case "volume": {
      // Docker's name for what it would tell SELinux.
      const shown = mode === "" ? "z" : (mode ?? "");
      const place = { Name: source, Source: hostPath, Driver: "local" };
      return { ...common, ...place, Mode: shown, Propagation: "" };
    }
  }
}

function modeOfBind(text: unknown): [string, string] {
  const { target, options } = splitBind(String(text));
  return [trimSlash(target), options];
}

function namesOf(mounts: unknown): string[] {
  if (!Array.isArray(mounts)) return [];
  return mounts.map((mount: Readonly<Record<string, unknown>>) => String(mount.Target));
}
