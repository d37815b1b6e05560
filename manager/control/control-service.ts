import type { ServerWritableStream } from "@grpc/grpc-js";
import { ClusterError } from "../../core/errors.ts";
import {
  type ControlServer,
  ControlService,
  type ListRequest,
  NodeView,
  type ServiceLogsRequest,
  ServiceView,
  TaskView,
} from "../../proto/gen/control.ts";
import { Config, Network, Secret } from "../../proto/gen/objects.ts";
import { serveCalls } from "../rpc/call-server.ts";
import { serverStream, unary } from "../rpc/handlers.ts";
import type { Control } from "./control.ts";
import type { Filters } from "./filters.ts";
import { chunked, chunkedAsync } from "./views.ts";

/** Serves proto/control.proto by a Control; other managers are its only callers. */
export function controlService(control: Control): ControlServer {
  const methods = controlMethods(control);
  return { ...methods, calls: serveCalls(ControlService, methods) };
}

function controlMethods(control: Control) {
  return {
    ...serviceMethods(control),
    ...payloadMethods(control),
    getNode: unary(({ ref }) => control.getNode(ref)),
    listNodes: serverStream(async function* (request) {
      const nodes = await control.listNodes(readFilters(request));
      for (const chunk of chunked(nodes, bytesBy(NodeView))) yield { nodes: chunk };
    }),
    updateNode: unary(({ ref, version, spec, force }) =>
      control.updateNode(ref, version, required(spec, "node spec"), force),
    ),
    removeNode: unary(async ({ ref, force }) => {
      await control.removeNode(ref, force);
      return {};
    }),
    approveNode: unary(({ ref }) => control.approveNode(ref)),
    createNetwork: unary(({ spec }) => control.createNetwork(required(spec, "network spec"))),
    getNetwork: unary(({ ref }) => control.getNetwork(ref)),
    listNetworks: serverStream(async function* (request) {
      const networks = await control.listNetworks(readFilters(request));
      for (const chunk of chunked(networks, bytesBy(Network))) yield { networks: chunk };
    }),
    removeNetwork: unary(async ({ ref }) => {
      await control.removeNetwork(ref);
      return {};
    }),
    backup: serverStream(() => control.backup()),
    getCluster: unary(() => control.getCluster()),
    getUnlockKey: unary(() => control.getUnlockKey()),
    updateCluster: unary((update) => control.updateCluster(update)),
  } satisfies Partial<ControlServer>;
}

function serviceMethods(control: Control) {
  return {
    createService: unary(({ spec }) => control.createService(required(spec, "service spec"))),
    getService: unary(({ ref }) => control.getService(ref)),
    listServices: serverStream(async function* (request) {
      const services = await control.listServices(readFilters(request));
      for (const chunk of chunked(services, bytesBy(ServiceView))) yield { services: chunk };
    }),
    updateService: unary((update) => control.updateService(update)),
    removeService: unary(async ({ ref }) => {
      await control.removeService(ref);
      return {};
    }),
    serviceLogs: serverStream((request, call) => {
      const options = required(request.options, "log options");
      return control.serviceLogs(readTarget(request), options, goneSignal(call));
    }),
    getTask: unary(({ ref }) => control.getTask(ref)),
    listTasks: serverStream(async function* (request) {
      const tasks = await control.listTasks(readFilters(request));
      for (const chunk of chunked(tasks, bytesBy(TaskView))) yield { tasks: chunk };
    }),
  } satisfies Partial<ControlServer>;
}

function payloadMethods(control: Control) {
  return {
    createConfig: unary(({ spec, data }) =>
      control.createConfig(required(spec, "config spec"), data),
    ),
    getConfig: unary(({ ref }) => control.getConfig(ref)),
    listConfigs: serverStream(async function* (request) {
      const configs = control.listConfigs(readFilters(request));
      for await (const chunk of chunkedAsync(configs, bytesBy(Config))) yield { configs: chunk };
    }),
    updateConfig: unary(({ spec, ...update }) =>
      control.updateConfig({ ...update, spec: required(spec, "config spec") }),
    ),
    removeConfig: unary(async ({ ref }) => {
      await control.removeConfig(ref);
      return {};
    }),
    createSecret: unary(({ spec, data }) =>
      control.createSecret(required(spec, "secret spec"), data),
    ),
    getSecret: unary(({ ref }) => control.getSecret(ref)),
    listSecrets: serverStream(async function* (request) {
      const secrets = await control.listSecrets(readFilters(request));
      for (const chunk of chunked(secrets, bytesBy(Secret))) yield { secrets: chunk };
    }),
    updateSecret: unary(({ spec, ...update }) =>
      control.updateSecret({ ...update, spec: required(spec, "secret spec") }),
    ),
    removeSecret: unary(async ({ ref }) => {
      await control.removeSecret(ref);
      return {};
    }),
  } satisfies Partial<ControlServer>;
}

function readFilters({ filters }: ListRequest): Filters {
  const entries = Object.entries(filters).map(([key, { values }]) => [key, values] as const);
  return Object.fromEntries(entries);
}

function readTarget({ serviceRef, taskRef }: ServiceLogsRequest) {
  return taskRef === "" ? { serviceRef } : { taskRef };
}

/** Fires when the caller has gone. */
function goneSignal(call: ServerWritableStream<unknown, unknown>): AbortSignal {
  const gone = new AbortController();
  call.on("cancelled", () => gone.abort());
  return gone.signal;
}

function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new ClusterError("InvalidArgument", `${what} must be provided`);
  return value;
}

function bytesBy<T>(codec: {
  encode(message: T): { finish(): Uint8Array };
}): (message: T) => number {
  return (message) => codec.encode(message).finish().length;
}
