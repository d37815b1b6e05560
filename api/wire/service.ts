import { ClusterError } from "../../core/errors.ts";
import type { ServiceView } from "../../proto/gen/control.ts";
import {
  type EndpointSpec,
  EndpointSpec_Mode,
  type PortConfig,
  PortConfig_Protocol,
  PortConfig_PublishMode,
  type Service,
  type ServiceEndpoint,
  type ServiceSpec,
  type UpdateConfig,
  UpdateConfig_FailureAction,
  UpdateConfig_Order,
  type UpdateStatus,
  UpdateStatus_State,
} from "../../proto/gen/objects.ts";
import { JsonReader } from "../http/json-reader.ts";
import { maybe, omitEmpty, wireMeta, wireTime, wordOf } from "./common.ts";
import { readNetworkAttachment, readTaskSpec, writeTaskSpec } from "./task-spec.ts";

const PROTOCOLS = {
  tcp: PortConfig_Protocol.TCP,
  udp: PortConfig_Protocol.UDP,
  sctp: PortConfig_Protocol.SCTP,
} as const;

const PUBLISH_MODES = {
  ingress: PortConfig_PublishMode.INGRESS,
  host: PortConfig_PublishMode.HOST,
} as const;

const ENDPOINT_MODES = { vip: EndpointSpec_Mode.VIP, dnsrr: EndpointSpec_Mode.DNSRR } as const;

const FAILURE_ACTIONS = {
  pause: UpdateConfig_FailureAction.PAUSE,
  continue: UpdateConfig_FailureAction.CONTINUE,
  rollback: UpdateConfig_FailureAction.ROLLBACK,
} as const;

const ORDERS = {
  "stop-first": UpdateConfig_Order.STOP_FIRST,
  "start-first": UpdateConfig_Order.START_FIRST,
} as const;

const UPDATE_STATES = {
  updating: UpdateStatus_State.UPDATING,
  paused: UpdateStatus_State.PAUSED,
  completed: UpdateStatus_State.COMPLETED,
  rollback_started: UpdateStatus_State.ROLLBACK_STARTED,
  rollback_paused: UpdateStatus_State.ROLLBACK_PAUSED,
  rollback_completed: UpdateStatus_State.ROLLBACK_COMPLETED,
} as const;

/**
 * Reads Docker's ServiceSpec, the body of create and update.
 *
 * @param registryAuth the X-Registry-Auth header, kept inside the container's spec.
 * @throws {ClusterError} `InvalidArgument` naming the first field that is wrong or not supported.
 */
export function readServiceSpec(body: unknown, registryAuth: string): ServiceSpec {
  const json = new JsonReader(body, "ServiceSpec");
  const task = readTaskSpec(json.object("TaskTemplate"), registryAuth);
  // Before API 1.25 the networks stood on the service.
  if (task.networks.length === 0) task.networks = json.objects("Networks", readNetworkAttachment);
  return {
    name: json.string("Name"),
    labels: json.stringMap("Labels"),
    task,
    mode: readMode(json.object("Mode")),
    update: json.optionalObject("UpdateConfig", readUpdateConfig),
    rollback: json.optionalObject("RollbackConfig", readUpdateConfig),
    endpoint: json.optionalObject("EndpointSpec", readEndpointSpec),
  };
}

/** Writes Docker's ServiceSpec: what was sent, nothing defaulted away. */
export function writeServiceSpec(spec: ServiceSpec): Record<string, unknown> {
  return {
    Name: spec.name,
    Labels: spec.labels,
    TaskTemplate: maybe(spec.task, writeTaskSpec) ?? {},
    Mode: writeMode(spec.mode),
    UpdateConfig: maybe(spec.update, writeUpdateConfig),
    RollbackConfig: maybe(spec.rollback, writeUpdateConfig),
    EndpointSpec: maybe(spec.endpoint, writeEndpointSpec),
  };
}

export function writeService(service: Service): Record<string, unknown> {
  return {
    ...wireMeta(service.id, service.meta),
    Spec: maybe(service.spec, writeServiceSpec),
    PreviousSpec: maybe(service.previousSpec, writeServiceSpec),
    Endpoint: writeEndpoint(service.endpoint),
    UpdateStatus: maybe(service.updateStatus, writeUpdateStatus),
  };
}

/** A service of a list; `status` adds the counts that `docker service ls` shows. */
export function writeServiceView(view: ServiceView, status: boolean): Record<string, unknown> {
  const service = view.service === undefined ? {} : writeService(view.service);
  if (!status) return service;
  return {
    ...service,
    ServiceStatus: {
      RunningTasks: view.runningTasks,
      DesiredTasks: view.desiredTasks,
      CompletedTasks: view.completedTasks,
    },
  };
}

export function writePort(port: PortConfig): Record<string, unknown> {
  return omitEmpty({
    Name: port.name,
    Protocol: wordOf(PROTOCOLS, port.protocol) ?? "tcp",
    TargetPort: port.targetPort,
    PublishedPort: port.publishedPort,
    PublishMode: wordOf(PUBLISH_MODES, port.publishMode) ?? "ingress",
  });
}

function readMode(json: JsonReader): ServiceSpec["mode"] {
  json.refuse("ReplicatedJob", "GlobalJob");
  if (json.has("ReplicatedJob") || json.has("GlobalJob")) {
    throw new ClusterError("InvalidArgument", "jobs are not supported by this version of muster");
  }
  if (json.has("Global") && json.has("Replicated")) {
    throw new ClusterError("InvalidArgument", "must specify only one service mode");
  }
  if (json.has("Global")) return { $case: "global", value: {} };
  const replicas = json.object("Replicated").optionalCount("Replicas") ?? 1;
  return { $case: "replicated", value: { replicas } };
}

function writeMode(mode: ServiceSpec["mode"]): Record<string, unknown> {
  if (mode?.$case === "global") return { Global: {} };
  return { Replicated: { Replicas: mode?.value.replicas ?? 1 } };
}

function readUpdateConfig(json: JsonReader): UpdateConfig {
  return {
    parallelism: json.count("Parallelism"),
    delayNs: json.integer("Delay"),
    failureAction: json.choice(
      "FailureAction",
      FAILURE_ACTIONS,
      UpdateConfig_FailureAction.UNSPECIFIED,
    ),
    monitorNs: json.optionalInteger("Monitor"),
    maxFailureRatio: json.number("MaxFailureRatio"),
    order: json.choice("Order", ORDERS, UpdateConfig_Order.UNSPECIFIED),
  };
}

function writeUpdateConfig(config: UpdateConfig): Record<string, unknown> {
  return {
    Parallelism: config.parallelism,
    ...omitEmpty({
      Delay: config.delayNs,
      FailureAction: wordOf(FAILURE_ACTIONS, config.failureAction),
    }),
    Monitor: config.monitorNs,
    MaxFailureRatio: config.maxFailureRatio,
    ...omitEmpty({ Order: wordOf(ORDERS, config.order) }),
  };
}

function readEndpointSpec(json: JsonReader): EndpointSpec {
  return {
    mode: json.choice("Mode", ENDPOINT_MODES, EndpointSpec_Mode.UNSPECIFIED),
    ports: json.objects("Ports", (port) => ({
      name: port.string("Name"),
      protocol: port.choice("Protocol", PROTOCOLS, PortConfig_Protocol.TCP),
      targetPort: port.count("TargetPort"),
      publishedPort: port.count("PublishedPort"),
      publishMode: port.choice("PublishMode", PUBLISH_MODES, PortConfig_PublishMode.INGRESS),
    })),
  };
}

function writeEndpointSpec(spec: EndpointSpec): Record<string, unknown> {
  return omitEmpty({ Mode: wordOf(ENDPOINT_MODES, spec.mode), Ports: spec.ports.map(writePort) });
}

function writeEndpoint(endpoint: ServiceEndpoint | undefined): Record<string, unknown> {
  if (endpoint === undefined) return { Spec: {} };
  return omitEmpty({
    Spec: maybe(endpoint.spec, writeEndpointSpec) ?? {},
    Ports: endpoint.ports.map(writePort),
    VirtualIPs: endpoint.virtualIps.map((vip) => ({ NetworkID: vip.networkId, Addr: vip.address })),
  });
}

function writeUpdateStatus(status: UpdateStatus): Record<string, unknown> {
  return {
    State: wordOf(UPDATE_STATES, status.state) ?? "",
    StartedAt: wireTime(status.startedAtMs),
    CompletedAt: status.completedAtMs === 0 ? undefined : wireTime(status.completedAtMs),
    Message: status.message,
  };
}
