import { ClusterError } from "../../core/errors.ts";
import type { UpdateClusterRequest } from "../../proto/gen/control.ts";
import type { RootCa } from "../../proto/gen/objects.ts";
import { formatJoinToken, SECRET_BYTES } from "../ca/join-token.ts";
import { parseRootCertificate } from "../ca/node-certificate.ts";
import { updateChange } from "../store/changes.ts";
import type { StoredCluster } from "../store/objects.ts";
import type { View } from "../store/tables.ts";
import type { Control } from "./control.ts";
import { freshView, type LeaderParts } from "./leader-parts.ts";
import { checkClusterSpec } from "./validate/cluster-specs.ts";
import { refuse } from "./validate/refuse.ts";

type ClusterControl = Pick<Control, "getCluster" | "updateCluster">;

/** The swarm's own object, as the leader serves it; without the CA's key, which nobody outside the managers needs. */
export function clusterControl(parts: LeaderParts): ClusterControl {
  return {
    getCluster: async () => withoutKey(getCluster(await freshView(parts))),
    updateCluster: async (update) => {
      const spec = checkClusterSpec(update.spec);
      const cluster = getCluster(await freshView(parts));
      if (spec.name !== cluster.spec.name) refuse("the swarm cannot be renamed");
      const rootCa = rotateTokens(cluster.rootCa, update, () => parts.randomBytes(SECRET_BYTES));
      const options = { ifVersion: update.version, bumpVersion: true };
      await parts.proposer.propose([
        updateChange("cluster", cluster.id, { spec, rootCa }, options),
      ]);
      return withoutKey(getCluster(parts.view()));
    },
  };
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

type ClusterWithCa = StoredCluster & { readonly rootCa: RootCa };

function getCluster(view: View): ClusterWithCa {
  const { cluster } = view;
  if (cluster?.rootCa !== undefined) return { ...cluster, rootCa: cluster.rootCa };
  throw new ClusterError("Unavailable", "the swarm is still being set up; try again");
}

function withoutKey(cluster: ClusterWithCa): StoredCluster {
  return { ...cluster, rootCa: { ...cluster.rootCa, keyPem: "" } };
}
