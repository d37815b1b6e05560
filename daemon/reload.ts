import type { DaemonConfig } from "./config.ts";

/** What of a configuration that is read again takes effect at once. Pure. */

/** Settings that may change while the daemon runs. */
const LIVE = ["logLevel", "labels", "insecureRegistries", "registryMirrors"] as const;

export interface Reload {
  /** What holds from now on. */
  readonly config: DaemonConfig;
  /** Settings that have changed. */
  readonly changed: readonly (keyof DaemonConfig)[];
  /** Settings that are other than before and wait for the next start. */
  readonly waiting: readonly (keyof DaemonConfig)[];
}

/** @param running what holds now. @param read what the command line and the file say now. */
export function planReload(running: DaemonConfig, read: DaemonConfig): Reload {
  const differs = (key: keyof DaemonConfig) =>
    JSON.stringify(running[key]) !== JSON.stringify(read[key]);
  const keys = Object.keys(read) as (keyof DaemonConfig)[];
  const isLive = (key: keyof DaemonConfig) => (LIVE as readonly string[]).includes(key);
  const { logLevel, labels, insecureRegistries, registryMirrors } = read;
  return {
    config: { ...running, logLevel, labels, insecureRegistries, registryMirrors },
    changed: keys.filter((key) => isLive(key) && differs(key)),
    waiting: keys.filter((key) => !isLive(key) && differs(key)),
  };
}
