import type { UpdateClusterRequest } from "../../proto/gen/control.ts";
import type { ClusterSpec, RootCa, UnlockKey } from "../../proto/gen/objects.ts";
import { crossSign, newRootCa, type SigningCa } from "../ca/certificates.ts";
import { parseGivenRoot } from "../ca/given-root.ts";
import { type ClusterWithCa, certificateLifeMs, getClusterWithCa } from "../ca/issue.ts";
import { formatJoinToken, SECRET_BYTES } from "../ca/join-token.ts";
import { parseRootCertificate } from "../ca/node-certificate.ts";
import { beginRotation } from "../ca/rotation/root-rotation.ts";
import { UNLOCK_KEY_BYTES } from "../ca/unlock-key.ts";
import { updateChange } from "../store/changes.ts";
import type { StoredCluster } from "../store/objects.ts";
import type { Control } from "./control.ts";
import { freshView, type LeaderParts } from "./leader-parts.ts";
import { checkClusterSpec } from "./validate/cluster-specs.ts";
import { refuse } from "./validate/refuse.ts";

type ClusterControl = Pick<Control, "getCluster" | "updateCluster" | "getUnlockKey">;

/** The swarm's own object, as the leader serves it; without the keys, which nobody outside the managers needs. */
export function clusterControl(parts: LeaderParts): ClusterControl {
  return {
    getCluster: async () => withoutKeys(getClusterWithCa(await freshView(parts))),
    getUnlockKey: async () => {
      const { unlockKey } = getClusterWithCa(await freshView(parts));
      return unlockKey ?? { key: Buffer.alloc(0), version: 0 };
    },
    updateCluster: async (update) => {
      const spec = checkClusterSpec(update.spec);
      const cluster = getClusterWithCa(await freshView(parts));
      if (spec.name !== cluster.spec.name) refuse("the swarm cannot be renamed");
      const moved = await changeRoot(cluster, { ...update, spec }, parts);
      const rootCa = rotateTokens(moved, update, () => parts.randomBytes(SECRET_BYTES));
      const unlockKey = nextUnlockKey(cluster.unlockKey, {
        isLocked: spec.autoLockManagers,
        rotate: update.rotateUnlockKey,
        newKey: () => parts.randomBytes(UNLOCK_KEY_BYTES),
      });
      const options = { ifVersion: update.version, bumpVersion: true };
      await parts.proposer.propose([
        updateChange("cluster", cluster.id, { spec, rootCa, unlockKey }, options),
      ]);
      return withoutKeys(getClusterWithCa(parts.view()));
    },
  };
}

/**
 * The unlock key after an update; the same object when it stays. Managers follow the version: it rises also when the key
 * goes, so that one that was off takes up the end of the lock too.
 */
export function nextUnlockKey(
  current: UnlockKey | undefined,
  wanted: {
    readonly isLocked: boolean;
    readonly rotate: boolean;
    readonly newKey: () => Uint8Array;
  },
): UnlockKey | undefined {
  const version = (current?.version ?? 0) + 1;
  const wasLocked = current !== undefined && current.key.length > 0;
  if (!wanted.isLocked) {
    if (wanted.rotate) refuse("cannot rotate the unlock key: autolock is not turned on");
    return wasLocked ? { key: Buffer.alloc(0), version } : current;
  }
  if (wasLocked && !wanted.rotate) return current;
  return { key: Buffer.from(wanted.newKey()), version };
}

/** The CA with new tokens where they are asked for; nodes that joined by the old ones stay. */
export function rotateTokens(
  rootCa: RootCa,
  wanted: Pick<UpdateClusterRequest, "rotateWorkerToken" | "rotateManagerToken">,
  newSecret: () => Uint8Array,
): RootCa {
  const { digest } = parseRootCertificate(rootCa.certPem);
  const token = () => formatJoinToken(digest, newSecret());
  return {
    ...rootCa,
    workerToken: wanted.rotateWorkerToken ? token() : rootCa.workerToken,
    managerToken: wanted.rotateManagerToken ? token() : rootCa.managerToken,
  };
}

type RootChange = Pick<UpdateClusterRequest, "signingCaCert" | "signingCaKey"> & {
  readonly spec: ClusterSpec;
};

/**
 * The CA as the update wants it: as it is, or about to move to another root. Given the present root, a move that is under
 * way is called off.
 */
async function changeRoot(
  cluster: ClusterWithCa,
  { spec, signingCaCert, signingCaKey }: RootChange,
  { clock, log }: Pick<LeaderParts, "clock" | "log">,
): Promise<RootCa> {
  const { rootCa } = cluster;
  const nowMs = clock.nowMs();
  const given = signingCaCert !== undefined || signingCaKey !== undefined;
  if (!given && (spec.forceRotate ?? 0) === (cluster.spec.forceRotate ?? 0)) return rootCa;
  const next = given
    ? parseGivenRoot(
        { certPem: signingCaCert ?? "", keyPem: signingCaKey ?? "" },
        { nowMs, minValidityMs: certificateLifeMs(spec) },
      )
    : await newRootCa(nowMs);
  if (isSameRoot(next, rootCa)) {
    if (rootCa.rotation !== undefined) log.info("the move to a new root CA is called off");
    return { ...rootCa, rotation: undefined };
  }
  if (rootCa.rotation !== undefined && isSameRoot(next, rootCa.rotation)) return rootCa;
  log.info("the swarm moves to a new root CA");
  const crossSignedPem = await crossSign(rootCa, next, nowMs);
  return beginRotation(rootCa, { ...next, crossSignedPem }, nowMs);
}

function isSameRoot(one: SigningCa, other: Pick<SigningCa, "certPem">): boolean {
  const digest = (pem: string) => Buffer.from(parseRootCertificate(pem).digest);
  return digest(one.certPem).equals(digest(other.certPem));
}

function withoutKeys(cluster: ClusterWithCa): StoredCluster {
  const { rootCa } = cluster;
  const rotation = rootCa.rotation && { ...rootCa.rotation, keyPem: "" };
  return { ...cluster, rootCa: { ...rootCa, keyPem: "", rotation }, unlockKey: undefined };
}
