import { createReadStream, readFileSync } from "node:fs";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import { type BackupHeader, openBackup } from "../../manager/backup/backup-file.ts";
import { stateOfBackup } from "../../manager/backup/content.ts";
import { checkNodeCertificate } from "../../manager/ca/node-certificate.ts";
import type { SwarmState as StoredSwarm } from "../../manager/recovery/recovered-swarm.ts";
import type { NodeOwn } from "../node/node-file.ts";
import type { SwarmState } from "../node/swarm-files.ts";
import { readOnly, type Survivor } from "./recover-node.ts";

/** Descriptor of standard input. */
const STDIN = 0;

/**
 * Reads a backup whole.
 *
 * @throws {ClusterError} `NotFound` without the files, `InvalidArgument`, `Unauthenticated` or `DataLoss` as the backup's.
 */
export async function readBackup(
  path: string,
  passphraseFile: string,
): Promise<{ readonly swarm: StoredSwarm; readonly header: BackupHeader }> {
  if (passphraseFile === "") {
    throw new ClusterError("InvalidArgument", "cannot open the backup: give --passphrase-file");
  }
  try {
    const source = passphraseFile === "-" ? STDIN : passphraseFile;
    const [passphrase = ""] = readFileSync(source, "utf8").split(/\r?\n/, 1);
    const { header, parts } = await openBackup(createReadStream(path), () => passphrase);
    return { swarm: await stateOfBackup(parts), header };
  } catch (cause) {
    if (cause instanceof ClusterError) throw cause;
    const message = `cannot read the backup ${path}: ${errorMessage(cause)}`;
    throw new ClusterError("NotFound", message, { cause });
  }
}

/**
 * This node as one that the backup's swarm knows.
 *
 * @throws {ClusterError} `FailedPrecondition` when it is of another swarm, or no node the backup knows.
 */
export function survivorOf(
  own: NodeOwn & { readonly state: SwarmState },
  swarm: StoredSwarm,
): Survivor {
  const { nodeId, clusterId } = checkNodeCertificate(own.certificate).identity;
  const { cluster } = swarm.store.view();
  if (cluster?.id !== clusterId) {
    throw new ClusterError(
      "FailedPrecondition",
      `cannot recover the swarm: the backup is of cluster ${cluster?.id}, this node is of ${clusterId}`,
    );
  }
  const { state, lock } = own;
  return { nodeId, state, lock, keys: own.keys && readOnly(own.keys), swarm, remarks: [] };
}
