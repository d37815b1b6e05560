import type { ApplyResult } from "../../manager/store/apply.ts";
import { createChange, updateChange } from "../../manager/store/changes.ts";
import type { StoredTask } from "../../manager/store/objects.ts";
import { createServiceChanges } from "../../manager/store/service-changes.ts";
import { Store } from "../../manager/store/store.ts";
import type { View } from "../../manager/store/tables.ts";
import {
  Cluster,
  type DeepPartial,
  Network,
  Node,
  NodeState,
  Service,
  type ServiceSpec,
  ServiceSpec as ServiceSpecMessage,
  type Task,
  type TaskState,
} from "../../proto/gen/objects.ts";
import { type Change, Transaction } from "../../proto/gen/store.ts";

/** A store without a log: transactions are applied as they come, one per call. */
export class StoreFixture {
  readonly store: Store;
  nowMs = 1_000_000;
  #index = 0;

  constructor(options: { readonly watchEventsMax?: number } = {}) {
    this.store = new Store(options);
  }

  get view(): View {
    return this.store.view();
  }

  apply(...changes: readonly Change[]): ApplyResult {
    const transaction = { changes: [...changes], nowMs: this.nowMs };
    return this.store.apply(++this.#index, Transaction.encode(transaction).finish());
  }

  /** @throws when the store refuses. */
  must(...changes: readonly Change[]): void {
    const result = this.apply(...changes);
    if (!result.ok) throw new Error(`${result.code}: ${result.message}`);
  }

  addCluster(): void {
    this.must(
      createChange("cluster", {
        ...Cluster.create(),
        id: "cluster",
        spec: { ...Cluster.fromPartial({ spec: {} }).spec, ...CLUSTER_SPEC },
        defaultAddressPools: ["10.0.0.0/8"],
        subnetSize: 24,
        dataPathPort: 4789,
      }),
    );
  }

  addNode(id: string, options: NodeOptions = {}): void {
    this.must(createChange("node", nodeObject(id, options)));
  }

  addNetwork(
    id: string,
    spec: { readonly ingress?: boolean; readonly subnet?: string } = {},
  ): void {
    const { ingress = false, subnet } = spec;
    const ipam = subnet === undefined ? [] : [{ subnet }];
    const network = Network.fromPartial({
      id,
      spec: { name: id, driver: "overlay", ingress, ipam },
    });
    this.must(createChange("network", network));
  }

  addService(id: string, spec: ServiceSpecInput = {}): void {
    this.must(...createServiceChanges(id, serviceSpec({ name: id, ...spec })));
  }

  /** Moves a task as its worker would report it. */
  report(task: Pick<Task, "id">, state: TaskState, err = ""): void {
    const status = { state, timestampMs: this.nowMs, message: "", err };
    this.must(updateChange("task", task.id, { status }));
  }

  tasksOf(serviceId: string): StoredTask[] {
    return [...this.view.tasks.ofService(serviceId)].sort(
      (a, b) => a.slot - b.slot || a.meta.version - b.meta.version,
    );
  }
}

/** What a test wants to say of a service; the rest has defaults. */
export type ServiceSpecInput = DeepPartial<ServiceSpec> & { readonly replicas?: number };

/** A spec of one replica of an image, unless said otherwise. */
export function serviceSpec({ replicas = 1, ...partial }: ServiceSpecInput = {}): ServiceSpec {
  return ServiceSpecMessage.fromPartial({
    name: "web",
    mode: { $case: "replicated", value: { replicas } },
    task: { container: { image: "nginx:1" } },
    ...partial,
  });
}

export interface NodeOptions {
  readonly hostname?: string;
  readonly state?: NodeState;
  readonly labels?: Record<string, string>;
  readonly engineLabels?: Record<string, string>;
  readonly nanoCpus?: number;
  readonly memoryBytes?: number;
  readonly addr?: string;
}

/** A ready node of four processors and 8 GiB. */
export function nodeObject(id: string, options: NodeOptions = {}): Node {
  const { nanoCpus = 4e9, memoryBytes = 8 * 2 ** 30 } = options;
  return Node.fromPartial({
    id,
    spec: { labels: options.labels ?? {} },
    description: {
      hostname: options.hostname ?? id,
      platform: { os: "linux", architecture: "x86_64" },
      resources: { nanoCpus, memoryBytes },
      engineLabels: options.engineLabels ?? {},
    },
    status: { state: options.state ?? NodeState.READY, addr: options.addr ?? "192.0.2.1" },
  });
}

const CLUSTER_SPEC = {
  name: "default",
  labels: {},
  taskHistoryLimit: 5,
  heartbeatMs: 500,
  downAfterMs: 2_500,
  restartGraceMs: 10_000,
  snapshotInterval: 10_000,
  nodeCertExpiryNs: 0,
  autoLockManagers: false,
};

/** A service object without its bookkeeping. */
export function serviceObject(id: string, spec: ServiceSpecInput = {}): Service {
  return Service.fromPartial({ id, spec: serviceSpec({ name: id, ...spec }), revision: 1 });
}
