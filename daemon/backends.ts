import type { Backends, MembershipBackend } from "../api/backend.ts";
import { formatUnlockKey } from "../manager/ca/unlock-key.ts";
import type { Control } from "../manager/control/control.ts";
import type { LogMessage, LogMessages } from "../proto/gen/control.ts";

/** A node as the API needs it; `SwarmNode` is the real one. */
export interface ManagedNode extends MembershipBackend {
  /** @throws {ClusterError} `Unavailable` when this node is no manager. */
  getManager(): { readonly control: Control };
}

/** What the API needs, out of what this daemon has. The swarm's areas go to the manager part, wherever its leader is. */
export function newBackends(
  node: ManagedNode,
  machine: Pick<
    Backends,
    | "system"
    | "containers"
    | "containerFiles"
    | "execs"
    | "containerUsage"
    | "images"
    | "builds"
    | "backups"
    | "events"
    | "registries"
    | "diskUsage"
    | "volumes"
    | "localNetworks"
  >,
): Backends {
  const control = (): Control => node.getManager().control;
  return {
    services: {
      createService: async (spec) => control().createService(spec),
      getService: async (ref) => control().getService(ref),
      listServices: async (filters) => control().listServices(filters),
      updateService: async (update) => control().updateService(update),
      removeService: async (ref) => control().removeService(ref),
      serviceLogs: (target, options, signal) =>
        flatten(control().serviceLogs(target, options, signal)),
    },
    tasks: {
      getTask: async (ref) => control().getTask(ref),
      listTasks: async (filters) => control().listTasks(filters),
    },
    nodes: {
      getNode: async (ref) => control().getNode(ref),
      listNodes: async (filters) => control().listNodes(filters),
      updateNode: async (ref, version, spec, force) =>
        control().updateNode(ref, version, spec, force),
      removeNode: async (ref, force) => control().removeNode(ref, force),
      approveNode: async (ref) => control().approveNode(ref),
    },
    networks: {
      createNetwork: async (spec) => control().createNetwork(spec),
      getNetwork: async (ref) => control().getNetwork(ref),
      listNetworks: async (filters) => control().listNetworks(filters),
      removeNetwork: async (ref) => control().removeNetwork(ref),
    },
    configs: {
      createConfig: async (spec, data) => control().createConfig(spec, data),
      getConfig: async (ref) => control().getConfig(ref),
      listConfigs: (filters) => control().listConfigs(filters),
      updateConfig: async (update) => control().updateConfig(update),
      removeConfig: async (ref) => control().removeConfig(ref),
    },
    secrets: {
      createSecret: async (spec, data) => control().createSecret(spec, data),
      getSecret: async (ref) => control().getSecret(ref),
      listSecrets: async (filters) => control().listSecrets(filters),
      updateSecret: async (update) => control().updateSecret(update),
      removeSecret: async (ref) => control().removeSecret(ref),
    },
    cluster: {
      getCluster: async () => control().getCluster(),
      getUnlockKey: async () => {
        const { key } = await control().getUnlockKey();
        return key.length === 0 ? "" : formatUnlockKey(key);
      },
      updateCluster: async (update) => control().updateCluster(update),
    },
    membership: node,
    ...machine,
  };
}

async function* flatten(batches: AsyncIterable<LogMessages>): AsyncIterable<LogMessage> {
  for await (const { messages } of batches) yield* messages;
}
