import type { ClusterSpec, NodeSpec } from "../../../proto/gen/objects.ts";
import { NetworkSpec, NodeAvailability, NodeRole } from "../../../proto/gen/objects.ts";
import { findLivenessFault } from "../../../proto/liveness-settings.ts";
import { checkNetworkName } from "./names.ts";
import { checkCount, checkKnown, checkLabels, checkText, refuse } from "./refuse.ts";

const HOUR_NS = 3600 * 1e9;
const CERT_EXPIRY_NS_MAX = 20 * 365 * 24 * HOUR_NS;
const HISTORY_MAX = 1_000;
const SUBNETS_MAX = 16;
const NODE_NAME_CHARS_MAX = 253;
/** Encoded bytes of a network's spec at most: a task shows all networks it is on, up to 64. */
export const NETWORK_SPEC_BYTES_MAX = 8 * 1024;

/** @throws {ClusterError} `InvalidArgument` naming the first thing that cannot be. */
export function checkNodeSpec(spec: NodeSpec | undefined): NodeSpec {
  if (spec === undefined) refuse("node spec must be provided");
  checkLabels(spec.labels);
  checkText("the node's name", spec.name);
  if (spec.name.length > NODE_NAME_CHARS_MAX) {
    refuse(`the node's name must be ${NODE_NAME_CHARS_MAX} characters or fewer`);
  }
  checkKnown("role", spec.role, NodeRole);
  checkKnown("availability", spec.availability, NodeAvailability);
  return spec;
}

/** @throws {ClusterError} `InvalidArgument` naming the first thing that cannot be. */
export function checkNetworkSpec(spec: NetworkSpec | undefined): NetworkSpec {
  if (spec === undefined) refuse("network spec must be provided");
  checkNetworkName(spec.name);
  checkLabels(spec.labels);
  if (spec.driver !== "" && spec.driver !== "overlay") {
    refuse(`network driver ${JSON.stringify(spec.driver)} is not known to swarms: use overlay`);
  }
  if (spec.ingress && spec.attachable) refuse("ingress network cannot be attachable");
  if (spec.ipam.length > SUBNETS_MAX) refuse(`a network may have at most ${SUBNETS_MAX} subnets`);
  const bytes = NetworkSpec.encode(spec).finish().length;
  if (bytes > NETWORK_SPEC_BYTES_MAX) {
    refuse(`the spec has ${bytes} bytes, at most ${NETWORK_SPEC_BYTES_MAX} can be stored`);
  }
  return { ...spec, driver: "overlay" };
}

/**
 * Settings of the swarm; 0 stands for the default. Sources: swarmkit, manager/controlapi/cluster.go, validateClusterSpec; bounds of
 * the times that decide when a node is gone are ours.
 *
 * @throws {ClusterError} `InvalidArgument` naming the first thing that cannot be.
 */
export function checkClusterSpec(spec: ClusterSpec | undefined): ClusterSpec {
  if (spec === undefined) refuse("cluster spec must be provided");
  checkLabels(spec.labels);
  checkCount("task history limit", spec.taskHistoryLimit, { max: HISTORY_MAX });
  const { heartbeatMs, downAfterMs, restartGraceMs, nodeCertExpiryNs } = spec;
  checkCount("snapshot interval", spec.snapshotInterval, { max: 1e9 });
  checkCount("heartbeat", heartbeatMs, { max: Number.MAX_SAFE_INTEGER });
  checkCount("down-after", downAfterMs, { max: Number.MAX_SAFE_INTEGER });
  checkCount("restart-grace", restartGraceMs, { max: Number.MAX_SAFE_INTEGER });
  const fault = findLivenessFault(spec);
  if (fault !== undefined) refuse(fault);
  if (nodeCertExpiryNs !== 0 && !(nodeCertExpiryNs >= HOUR_NS)) {
    refuse("minimum certificate expiry time is: 1h0m0s");
  }
  if (nodeCertExpiryNs > CERT_EXPIRY_NS_MAX) {
    refuse("certificates cannot be valid for longer than the CA, 20 years");
  }
  return spec;
}
