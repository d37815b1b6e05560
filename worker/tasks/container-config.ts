import { ClusterError } from "../../core/errors.ts";
import type { ContainerSpec, HealthConfig, Mount, Resources } from "../../proto/gen/objects.ts";
import {
  DEFAULT_SETTINGS,
  NO_LIMITS,
  type ResourceLimits,
} from "../../runtime/container/settings.ts";
import type {
  ContainerConfig,
  MountConfig,
  HealthConfig as RuntimeHealthConfig,
} from "../../runtime/container/types.ts";
import type { Sandbox } from "../network/types.ts";
import type { AssignedTask } from "./task-model.ts";

/** Between the stop signal and SIGKILL when the spec does not say. Source: moby, defaultStopTimeout. */
export const STOP_GRACE_DEFAULT_MS = 10_000;

/** Carries the task's id on its container: how a container is known to be ours. */
export const TASK_ID_LABEL = "com.docker.swarm.task.id";

/** Full name of a task and of its container, as Docker spells it: `web.1.<task id>`, global `web.<node id>.<task id>`. */
export function taskName(assignment: AssignedTask): string {
  const { task, serviceName } = assignment;
  const place = task.slot === 0 ? task.nodeId : String(task.slot);
  return `${serviceName}.${place}.${task.id}`;
}

/**
 * The container that runs a task inside its sandbox.
 *
 * @throws {ClusterError} `InvalidArgument` for a type of mount or driver of volumes the runtime does not have.
 */
export function containerConfig(assignment: AssignedTask, sandbox: Sandbox): ContainerConfig {
  const spec = containerSpec(assignment);
  return {
    ...DEFAULT_SETTINGS,
    name: taskName(assignment),
    image: spec.image,
    entrypoint: spec.command,
    command: spec.args,
    env: spec.env,
    labels: { ...spec.labels, ...swarmLabels(assignment) },
    hostname: spec.hostname,
    user: spec.user,
    groups: spec.groups,
    workdir: spec.dir,
    tty: spec.tty,
    openStdin: spec.openStdin,
    readOnlyRootfs: spec.readOnly,
    init: spec.init ?? false,
    capAdd: spec.capabilityAdd,
    capDrop: spec.capabilityDrop,
    sysctls: spec.sysctls,
    ulimits: spec.ulimits,
    mounts: spec.mounts.map(mountConfig),
    stopSignal: spec.stopSignal,
    stopTimeoutMs: stopGraceMs(assignment),
    health: spec.healthcheck === undefined ? undefined : healthConfig(spec.healthcheck),
    limits: resourceLimits(assignment.spec.resources?.limits),
    network: { kind: "namespace", path: sandbox.path },
    extraHosts: spec.hosts,
    resolvConf: sandbox.resolvConf,
    addresses: sandbox.addresses,
    oomScoreAdj: spec.oomScoreAdj,
    log: logConfig(assignment),
  };
}

/** The container part of the task's spec. @throws {ClusterError} `InvalidArgument` when there is none. */
export function containerSpec(assignment: AssignedTask): ContainerSpec {
  const { container } = assignment.spec;
  if (container === undefined) {
    throw new ClusterError("InvalidArgument", "cannot run the task: its spec has no container");
  }
  return container;
}

/** How long the task's container has between its stop signal and SIGKILL. */
export function stopGraceMs(assignment: AssignedTask): number {
  const graceNs = assignment.spec.container?.stopGracePeriodNs;
  return graceNs === undefined ? STOP_GRACE_DEFAULT_MS : nsToMs(graceNs);
}

function swarmLabels(assignment: AssignedTask): Record<string, string> {
  const { task, serviceName } = assignment;
  return {
    "com.docker.swarm.task": "",
    [TASK_ID_LABEL]: task.id,
    "com.docker.swarm.task.name": taskName(assignment),
    "com.docker.swarm.node.id": task.nodeId,
    "com.docker.swarm.service.id": task.serviceId,
    "com.docker.swarm.service.name": serviceName,
  };
}

function mountConfig(mount: Mount): MountConfig {
  const { type } = mount;
  if (type !== "bind" && type !== "volume" && type !== "tmpfs") {
    throw new ClusterError(
      "InvalidArgument",
      `cannot mount at ${mount.target}: type ${JSON.stringify(type)} is not bind, volume or tmpfs`,
    );
  }
  const driver = mount.volumeDriver;
  if (driver !== "" && driver !== "local") {
    throw new ClusterError(
      "InvalidArgument",
      `cannot mount at ${mount.target}: volume driver ${JSON.stringify(driver)} is not local`,
    );
  }
  return {
    type,
    source: mount.source,
    target: mount.target,
    readOnly: mount.readOnly,
    propagation: mount.propagation,
    tmpfsSizeBytes: mount.tmpfsSizeBytes,
    tmpfsMode: mount.tmpfsMode,
    noCopy: mount.noCopy,
    labels: mount.volumeLabels,
    driverOptions: mount.volumeOptions,
  };
}

function healthConfig(health: HealthConfig): RuntimeHealthConfig {
  return {
    test: health.test,
    intervalMs: nsToMs(health.intervalNs),
    timeoutMs: nsToMs(health.timeoutNs),
    retries: health.retries,
    startPeriodMs: nsToMs(health.startPeriodNs),
    startIntervalMs: nsToMs(health.startIntervalNs),
  };
}

function resourceLimits(limits: Resources | undefined): ResourceLimits {
  return {
    ...NO_LIMITS,
    nanoCpus: limits?.nanoCpus ?? 0,
    memoryBytes: limits?.memoryBytes ?? 0,
    pids: limits?.pids ?? 0,
  };
}

function logConfig(assignment: AssignedTask): ContainerConfig["log"] {
  const { logDriver } = assignment.spec;
  const named = logDriver !== undefined && logDriver.name !== "";
  return named
    ? { driver: logDriver.name, options: logDriver.options }
    : { driver: "json-file", options: logDriver?.options ?? {} };
}

function nsToMs(ns: number): number {
  return Math.round(ns / 1e6);
}
