import { randomBytes } from "node:crypto";
import type { Clock } from "../core/clock.ts";
import { type ClusterId, type NetworkId, type NodeId, newId } from "../core/ids.ts";
import type { Random } from "../core/random.ts";
import {
  type ClusterSpec,
  type NodeAvailability,
  NodeRole,
  type UnlockKey,
} from "../proto/gen/objects.ts";
import type { Change } from "../proto/gen/store.ts";
import { ingressNetwork } from "./allocator/network-plan.ts";
import { newNode } from "./ca/ca-service.ts";
import {
  issueCertificate,
  NODE_CERT_VALIDITY_MS,
  newCertificateRequest,
  newRootCa,
} from "./ca/certificates.ts";
import { certificateLifeMs } from "./ca/issue.ts";
import { SECRET_BYTES } from "./ca/join-token.ts";
import type { NodeCertificate } from "./ca/node-certificate.ts";
import { newClusterCa } from "./ca/rotation/root-rotation.ts";
import { normalPem } from "./ca/trust.ts";
import { UNLOCK_KEY_BYTES } from "./ca/unlock-key.ts";
import { checkClusterSpec } from "./control/validate/cluster-specs.ts";
import { checkGenesisNetworks } from "./control/validate/genesis-networks.ts";
import { createChange } from "./store/changes.ts";

/** A swarm's settings until somebody changes them. */
export const DEFAULT_CLUSTER_SPEC: ClusterSpec = {
  name: "default",
  labels: {},
  taskHistoryLimit: 5,
  // 0: by default, and fitting each other where only some are set (proto/liveness-settings.ts).
  heartbeatMs: 0,
  downAfterMs: 0,
  restartGraceMs: 0,
  snapshotInterval: 10_000,
  nodeCertExpiryNs: NODE_CERT_VALIDITY_MS * 1e6,
  autoLockManagers: false,
};

/** What the first manager decides for its swarm. */
export interface GenesisOptions {
  readonly spec: ClusterSpec;
  readonly availability: NodeAvailability;
  readonly defaultAddressPools: readonly string[];
  readonly subnetSize: number;
  readonly dataPathPort: number;
}

/** A new swarm: the first manager's certificate, and the objects its log begins with. */
export interface Genesis {
  readonly nodeId: string;
  readonly certificate: NodeCertificate;
  readonly changes: readonly Change[];
  /** Present when managers are to be locked. */
  readonly unlockKey: UnlockKey | undefined;
}

/**
 * Makes a CA, signs the first manager's certificate with it, and says what the store must hold.
 *
 * @throws {ClusterError} `InvalidArgument` for settings and networks no swarm can have.
 */
export async function newSwarm(
  options: GenesisOptions,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Promise<Genesis> {
  checkGenesisNetworks(options);
  const spec = checkClusterSpec(options.spec);
  const nowMs = clock.nowMs();
  const nodeId = newId<NodeId>(random);
  const clusterId = newId<ClusterId>(random);
  const ca = await newRootCa(nowMs);
  const { keyPem, csr } = await newCertificateRequest();
  const identity = { nodeId, clusterId, role: NodeRole.MANAGER };
  const validityMs = certificateLifeMs(spec);
  const certPem = await issueCertificate(ca, csr, identity, { nowMs, validityMs });
  const unlockKey = options.spec.autoLockManagers
    ? { key: randomBytes(UNLOCK_KEY_BYTES), version: 1 }
    : undefined;
  const cluster = {
    id: clusterId,
    meta: undefined,
    spec,
    rootCa: newClusterCa(ca, () => randomBytes(SECRET_BYTES)),
    defaultAddressPools: [...options.defaultAddressPools],
    subnetSize: options.subnetSize,
    dataPathPort: options.dataPathPort,
    unlockKey,
    generation: 0,
  };
  return {
    nodeId,
    certificate: { certPem, keyPem, rootPem: normalPem(ca.certPem) },
    unlockKey,
    changes: [
      createChange("cluster", cluster),
      createChange("network", ingressNetwork(newId<NetworkId>(random))),
      createChange(
        "node",
        newNode({ nodeId, role: NodeRole.MANAGER, availability: options.availability }),
      ),
    ],
  };
}
