import {
  type EndpointSpec,
  EndpointSpec_Mode,
  PortConfig_Protocol,
  PortConfig_PublishMode,
  ServiceSpec,
  type TaskSpec,
  type UpdateConfig,
  UpdateConfig_FailureAction,
  UpdateConfig_Order,
} from "../../../proto/gen/objects.ts";
import { isIngressPort } from "../../store/ports.ts";
import { checkServiceName } from "./names.ts";
import {
  checkCount,
  checkDuration,
  checkKnown,
  checkLabels,
  findDuplicate,
  refuse,
} from "./refuse.ts";
import { checkTaskSpec } from "./task-spec.ts";

/** Replicas of one service at most. */
export const REPLICAS_MAX = 100_000;
/** Encoded bytes of one spec at most: it, the one before and the revision share a log entry, with room to spare. */
export const SPEC_BYTES_MAX = 384 * 1024;
/** Ports of one service at most: each costs a rule on every node. */
const PORTS_MAX = 1_000;
const PORT_MAX = 65_535;

/** A service spec with the parts every stored one has. */
export type CheckedServiceSpec = ServiceSpec & { readonly task: TaskSpec };

/**
 * Whether a spec can be run as far as it alone can tell; what depends on other objects is checked where it is stored.
 *
 * @throws {ClusterError} `InvalidArgument` naming the first thing that cannot be.
 */
export function checkServiceSpec(spec: ServiceSpec | undefined): CheckedServiceSpec {
  if (spec === undefined) refuse("service spec must be provided");
  checkServiceName(spec.name);
  checkLabels(spec.labels);
  if (spec.mode?.$case === "replicated") {
    checkCount("Number of replicas", spec.mode.value.replicas, { max: REPLICAS_MAX });
  }
  const task = checkTaskSpec(spec.task);
  checkUpdate("update", spec.update);
  checkUpdate("rollback", spec.rollback);
  if (spec.endpoint !== undefined) checkEndpoint(spec.endpoint);
  const bytes = ServiceSpec.encode(spec).finish().length;
  if (bytes > SPEC_BYTES_MAX) {
    refuse(`the spec has ${bytes} bytes, at most ${SPEC_BYTES_MAX} can be stored`);
  }
  return { ...spec, task };
}

/**
 * Whether `next` may take the place of `current`.
 *
 * @throws {ClusterError} `InvalidArgument` for another name or mode.
 */
export function checkServiceChange(current: ServiceSpec, next: ServiceSpec): void {
  if (current.name !== next.name) refuse("renaming services is not supported");
  if (modeOf(current) !== modeOf(next)) refuse("service mode change is not allowed");
}

function modeOf(spec: ServiceSpec): string {
  return spec.mode?.$case ?? "replicated";
}

function checkUpdate(what: "update" | "rollback", config: UpdateConfig | undefined): void {
  if (config === undefined) return;
  checkCount(`${what}-parallelism`, config.parallelism, { max: REPLICAS_MAX });
  checkDuration(`TaskSpec: ${what}-delay`, config.delayNs);
  checkDuration(`TaskSpec: ${what}-monitor`, config.monitorNs);
  checkKnown(`${what}-failure-action`, config.failureAction, UpdateConfig_FailureAction);
  checkKnown(`${what}-order`, config.order, UpdateConfig_Order);
  const ratio = config.maxFailureRatio;
  if (!(ratio >= 0 && ratio <= 1)) {
    refuse(`TaskSpec: ${what}-maxfailureratio cannot be less than 0 or bigger than 1`);
  }
}

/** Source: swarmkit, manager/controlapi/service.go, validateEndpointSpec. */
function checkEndpoint({ mode, ports }: EndpointSpec): void {
  if (ports.length > PORTS_MAX) refuse(`EndpointSpec: at most ${PORTS_MAX} ports may be published`);
  checkKnown("EndpointSpec: mode", mode, EndpointSpec_Mode);
  for (const port of ports) {
    checkKnown("EndpointSpec: protocol", port.protocol, PortConfig_Protocol);
    checkKnown("EndpointSpec: publish mode", port.publishMode, PortConfig_PublishMode);
    checkCount("EndpointSpec: target port", port.targetPort, { min: 1, max: PORT_MAX });
    checkCount("EndpointSpec: published port", port.publishedPort, { max: PORT_MAX });
    if (mode === EndpointSpec_Mode.DNSRR && isIngressPort(port)) {
      refuse("EndpointSpec: port published with ingress mode can't be used with dnsrr mode");
    }
  }
  const published = ports
    .filter(({ publishedPort }) => publishedPort !== 0)
    .map(
      ({ publishedPort, protocol }) => `${publishedPort}/${protocol || PortConfig_Protocol.TCP}`,
    );
  if (findDuplicate(published) !== undefined) {
    refuse("EndpointSpec: duplicate published ports provided");
  }
}
