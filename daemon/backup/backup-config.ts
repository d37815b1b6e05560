import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { SwarmNode } from "../node/swarm-node.ts";
import type { Backups } from "./backups.ts";
import { PeriodicBackups, type PeriodicOptions } from "./periodic.ts";

/** The settings of periodic backups, as the user writes them. */
export interface BackupConfig {
  /** Empty: none are made. */
  readonly backupDir: string;
  /** A number with s, m or h. */
  readonly backupEvery: string;
  readonly backupKeep: string;
  readonly backupPassphraseFile: string;
}

export const DEFAULT_BACKUP_CONFIG: BackupConfig = {
  backupDir: "",
  backupEvery: "1h",
  backupKeep: "24",
  backupPassphraseFile: "",
};

const UNITS_MS = { s: 1000, m: 60_000, h: 3_600_000 } as const;
/** A backup holds the whole state: more often than this it would be all the leader does. */
const EVERY_MS_MIN = 1000;
const EVERY_MS_MAX = 7 * 24 * UNITS_MS.h;
const KEEP_MAX = 10_000;

/**
 * Undefined when no directory is set.
 *
 * @throws {ClusterError} `InvalidArgument` saying which setting to change.
 */
export function readBackupConfig(config: BackupConfig): PeriodicOptions | undefined {
  const { backupDir: dir, backupEvery, backupKeep, backupPassphraseFile: passphraseFile } = config;
  if (dir === "") {
    if (passphraseFile !== "") throw invalid("--backup-passphrase-file needs --backup-dir");
    return undefined;
  }
  if (passphraseFile === "") {
    throw invalid(
      "--backup-dir needs --backup-passphrase-file: backups hold the CA's key and secrets",
    );
  }
  const [, count, unit] = /^(\d+)([smh])$/.exec(backupEvery) ?? [];
  const everyMs = Number(count) * UNITS_MS[(unit ?? "s") as keyof typeof UNITS_MS];
  if (!(everyMs >= EVERY_MS_MIN && everyMs <= EVERY_MS_MAX)) {
    throw invalid(`--backup-every '${backupEvery}' must be like 90s, 15m or 1h, from 1s to 168h`);
  }
  const keep = /^\d+$/.test(backupKeep) ? Number(backupKeep) : 0;
  if (keep < 1 || keep > KEEP_MAX) {
    throw invalid(`--backup-keep '${backupKeep}' must be a number from 1 to ${KEEP_MAX}`);
  }
  return { dir, everyMs, keep, passphraseFile };
}

/** Undefined when the configuration asks for none. */
export function startPeriodic(
  config: BackupConfig,
  backups: Backups,
  machine: { readonly node: SwarmNode; readonly clock: Clock; readonly log: Log },
): PeriodicBackups | undefined {
  const options = readBackupConfig(config);
  if (options === undefined) return undefined;
  const { node, clock } = machine;
  const leads = (): boolean =>
    node.swarmInfo().isManager && node.getManager().replicatedLog.leadership().isLeader;
  const log = machine.log.child({ component: "backup" });
  return new PeriodicBackups(options, { backups, leads, clock, log });
}

function invalid(why: string): ClusterError {
  return new ClusterError("InvalidArgument", `cannot use the configuration: ${why}`);
}
