import { randomBytes } from "node:crypto";
import type { BackupBackend, RestoreOptions } from "../../api/backend.ts";
import type { Clock } from "../../core/clock.ts";
import { ClusterError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import {
  type BackupHeader,
  openBackup,
  PASSPHRASE_CHARS_MIN,
  SALT_BYTES,
  sealBackup,
} from "../../manager/backup/backup-file.ts";
import { indexOf, stateOfBackup } from "../../manager/backup/content.ts";
import type { Control } from "../../manager/control/control.ts";
import type { SwarmNode } from "../node/swarm-node.ts";

/** A backup under way: what it is of, and its file as it comes. */
export interface Backup {
  readonly header: BackupHeader;
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface BackupsParts {
  readonly node: Pick<SwarmNode, "restore" | "swarmInfo"> & {
    getManager(): { readonly control: Pick<Control, "backup" | "getCluster"> };
  };
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Backups of the swarm this node is a manager of, and the way back. */
export class Backups implements BackupBackend {
  readonly #parts: BackupsParts;

  constructor(parts: BackupsParts) {
    this.#parts = parts;
  }

  async *backup(passphrase: string): AsyncIterable<Uint8Array> {
    const { header, bytes } = await this.begin(passphrase);
    yield* bytes;
    const { clusterId, index } = header;
    this.#parts.log.info("the swarm's state was backed up", { clusterId, index });
  }

  /** @throws {ClusterError} `InvalidArgument` without a passphrase that protects, `Unavailable` without a leader. */
  async begin(passphrase: string): Promise<Backup> {
    checkPassphrase(passphrase);
    const { control } = this.#parts.node.getManager();
    const { id: clusterId } = await control.getCluster();
    const { first, parts } = await takeFirst(control);
    const header: BackupHeader = {
      clusterId,
      index: indexOf(first),
      createdAtMs: this.#parts.clock.nowMs(),
      version: this.#parts.version,
      secret: "passphrase",
      salt: randomBytes(SALT_BYTES).toString("base64"),
    };
    return { header, bytes: sealBackup(header, parts, passphrase) };
  }

  /** The file is read whole and checked before anything is changed. */
  async restore({ file, passphrase, ...addresses }: RestoreOptions): Promise<string> {
    const { node, log } = this.#parts;
    if (node.swarmInfo().state !== "inactive") {
      throw new ClusterError(
        "Unavailable",
        'cannot restore the swarm here: this node is part of one; "muster swarm leave" first, or take another node',
      );
    }
    const { header, parts } = await openBackup(file, () => passphrase);
    const swarm = await stateOfBackup(parts);
    const nodeId = await node.restore(swarm, addresses);
    const { clusterId, index, createdAtMs } = header;
    log.warn("the swarm goes on from a backup", { clusterId, index, createdAtMs, nodeId });
    return nodeId;
  }
}

/** @throws {ClusterError} `InvalidArgument`. */
export function checkPassphrase(passphrase: string): void {
  if (passphrase.length >= PASSPHRASE_CHARS_MIN) return;
  throw new ClusterError(
    "InvalidArgument",
    `cannot back up the swarm: a passphrase of ${PASSPHRASE_CHARS_MIN} characters or more is needed, for the CA's key and ` +
      "all secrets are in the file: give --passphrase-file",
  );
}

/** The first part is asked for at once: what is in the way shows before anything is written. */
async function takeFirst(control: Pick<Control, "backup">) {
  const source = control.backup()[Symbol.asyncIterator]();
  const { value, done } = await source.next();
  if (done === true) throw new ClusterError("Internal", "the leader sent an empty backup");
  const first = value.data;
  async function* parts(): AsyncGenerator<Uint8Array> {
    yield first;
    for (let next = await source.next(); next.done !== true; next = await source.next()) {
      yield next.value.data;
    }
  }
  return { first, parts: parts() };
}
