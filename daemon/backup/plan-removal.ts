/** Names of our own backups, by which older ones sort first. */
const NAME = /^muster-[a-z0-9]+-(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z)\.backup$/;

/** What a periodic backup is called: `muster-<cluster>-<time>.backup`. */
export function backupName(clusterId: string, nowMs: number): string {
  return `muster-${clusterId}-${new Date(nowMs).toISOString().replaceAll(/[:.]/g, "-")}.backup`;
}

/** Which files of a directory are to go so that `keep` backups of this cluster stay; what is not ours is left alone. */
export function planRemoval(names: readonly string[], clusterId: string, keep: number): string[] {
  const own = names
    .filter((name) => NAME.test(name) && name.startsWith(`muster-${clusterId}-`))
    .sort();
  return own.slice(0, Math.max(0, own.length - keep));
}
