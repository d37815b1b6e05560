import { Metadata } from "@grpc/grpc-js";
import {
  type ControlClient,
  type ListRequest,
  ServiceLogsRequest,
} from "../../proto/gen/control.ts";
import { callUnary, readStream, type UnaryMethod } from "../rpc/calls.ts";
import type { Control } from "./control.ts";
import type { Filters } from "./filters.ts";

/** How long the leader may take for one answer: it waits for a majority, at times for an election. */
export const CONTROL_TIMEOUT_MS = 20_000;

/** Control as another manager carries it out, over gRPC. */
export function remoteControl(client: ControlClient): Control {
  return {
    ...remoteServices(client),
    ...remoteNodes(client),
    ...remotePayloads(client),
    ...remoteRest(client),
  };
}

function remoteServices(client: ControlClient) {
  return {
    createService: (spec) => call(client.createService.bind(client), { spec }),
    getService: (ref) => call(client.getService.bind(client), { ref }),
    listServices: async (filters) => {
      const chunks = await collect(client.listServices(request(filters), ...limits()));
      return chunks.flatMap(({ services }) => services);
    },
    updateService: (update) => call(client.updateService.bind(client), update),
    removeService: async (ref) => {
      await call(client.removeService.bind(client), { ref, force: false });
    },
    serviceLogs: (target, options, signal) => {
      const wanted = ServiceLogsRequest.fromPartial({ ...target, options });
      return readStream(client.serviceLogs(wanted), signal);
    },
    getTask: (ref) => call(client.getTask.bind(client), { ref }),
    listTasks: async (filters) => {
      const chunks = await collect(client.listTasks(request(filters), ...limits()));
      return chunks.flatMap(({ tasks }) => tasks);
    },
  } satisfies Partial<Control>;
}

function remoteNodes(client: ControlClient) {
  return {
    getNode: (ref) => call(client.getNode.bind(client), { ref }),
    listNodes: async (filters) => {
      const chunks = await collect(client.listNodes(request(filters), ...limits()));
      return chunks.flatMap(({ nodes }) => nodes);
    },
    updateNode: (ref, version, spec, force = false) =>
      call(client.updateNode.bind(client), { ref, version, spec, force }),
    removeNode: async (ref, force) => {
      await call(client.removeNode.bind(client), { ref, force });
    },
    approveNode: (ref) => call(client.approveNode.bind(client), { ref }),
  } satisfies Partial<Control>;
}

function remotePayloads(client: ControlClient) {
  return {
    createConfig: (spec, data) =>
      call(client.createConfig.bind(client), { spec, data: Buffer.from(data) }),
    getConfig: (ref) => call(client.getConfig.bind(client), { ref }),
    listConfigs: async function* (filters) {
      const chunks = readStream(client.listConfigs(request(filters)));
      for await (const { configs } of chunks) yield* configs;
    },
    updateConfig: (update) =>
      call(client.updateConfig.bind(client), { ...update, data: Buffer.from(update.data) }),
    removeConfig: async (ref) => {
      await call(client.removeConfig.bind(client), { ref, force: false });
    },
    createSecret: (spec, data) =>
      call(client.createSecret.bind(client), { spec, data: Buffer.from(data) }),
    getSecret: (ref) => call(client.getSecret.bind(client), { ref }),
    listSecrets: async (filters) => {
      const chunks = await collect(client.listSecrets(request(filters), ...limits()));
      return chunks.flatMap(({ secrets }) => secrets);
    },
    updateSecret: (update) =>
      call(client.updateSecret.bind(client), { ...update, data: Buffer.from(update.data) }),
    removeSecret: async (ref) => {
      await call(client.removeSecret.bind(client), { ref, force: false });
    },
  } satisfies Partial<Control>;
}

function remoteRest(client: ControlClient) {
  return {
    createNetwork: (spec) => call(client.createNetwork.bind(client), { spec }),
    getNetwork: (ref) => call(client.getNetwork.bind(client), { ref }),
    listNetworks: async (filters) => {
      const chunks = await collect(client.listNetworks(request(filters), ...limits()));
      return chunks.flatMap(({ networks }) => networks);
    },
    removeNetwork: async (ref) => {
      await call(client.removeNetwork.bind(client), { ref, force: false });
    },
    backup: () => readStream(client.backup({})),
    getCluster: () => call(client.getCluster.bind(client), {}),
    getUnlockKey: () => call(client.getUnlockKey.bind(client), {}),
    updateCluster: (update) => call(client.updateCluster.bind(client), update),
  } satisfies Partial<Control>;
}

function call<Request, Response>(
  method: UnaryMethod<Request, Response>,
  message: Request,
): Promise<Response> {
  return callUnary(method, message, { timeoutMs: CONTROL_TIMEOUT_MS });
}

function limits() {
  return [new Metadata(), { deadline: Date.now() + CONTROL_TIMEOUT_MS }] as const;
}

async function collect<Message>(
  stream: Parameters<typeof readStream<Message>>[0],
): Promise<Message[]> {
  const messages: Message[] = [];
  for await (const message of readStream(stream)) messages.push(message);
  return messages;
}

function request(filters: Filters): ListRequest {
  const entries = Object.entries(filters).map(([key, values]) => [key, { values: [...values] }]);
  return { filters: Object.fromEntries(entries) };
}
