import { expect } from "chai";
import { type Random, randomInt, seededRandom } from "../../core/random.ts";
import { applyEndpointUpdate, emptyEndpointTable } from "../../proto/endpoint-table.ts";
import type { EndpointTable } from "../../proto/gen/endpoints.ts";
import { NodeState, Task, TaskState } from "../../proto/gen/objects.ts";
import type { Change } from "../../proto/gen/store.ts";
import { nodeObject, StoreFixture, serviceSpec } from "../../test/support/store-fixture.ts";
import { createChange, removeChange, updateChange } from "../store/changes.ts";
import { createServiceChanges } from "../store/service-changes.ts";
import { EndpointTables } from "./endpoint-tables.ts";
import { splitUpdate } from "./split-update.ts";

const NETWORKS = ["net", "ingress"];
const STATES = [TaskState.ASSIGNED, TaskState.RUNNING, TaskState.FAILED];

/** A follower as a worker is: it has some version and is told what is new now and then. */
class Follower {
  readonly tables = new Map<string, EndpointTable>();

  catchUp(tables: EndpointTables): void {
    for (const networkId of NETWORKS) {
      const table = this.tables.get(networkId) ?? emptyEndpointTable(networkId);
      const update = tables.updateSince(networkId, table.version);
      if (update === undefined) continue;
      this.tables.set(networkId, applyEndpointUpdate(table, splitUpdate(update, 2)));
    }
  }
}

describe("endpoints: kept up to date", () => {
  for (let seed = 1; seed <= 30; seed++) {
    it(`are those of a fresh start, and followers have them (seed ${seed})`, () => {
      const random = seededRandom(seed);
      const cluster = new StoreFixture();
      const removed = new Set<string>();
      const cursor = cluster.store.watch();
      const tables = new EndpointTables(cluster.view);
      const followers = [new Follower(), new Follower()];
      for (let step = 0; step < 150; step++) {
        cluster.apply(...randomChange(random, cluster, removed));
        if (random.next() < 0.5) continue;
        const batch = cursor.take();
        if (batch.kind === "events") tables.update(cluster.view, batch.events);
        followers[randomInt(random, followers.length)]?.catchUp(tables);

        const fresh = new EndpointTables(cluster.view);
        for (const networkId of NETWORKS) {
          expect(content(tables.table(networkId))).to.deep.equal(content(fresh.table(networkId)));
        }
      }
      const batch = cursor.take();
      if (batch.kind === "events") tables.update(cluster.view, batch.events);
      for (const follower of followers) {
        follower.catchUp(tables);
        for (const networkId of NETWORKS) {
          if (tables.table(networkId) === undefined) continue;
          expect(follower.tables.get(networkId)).to.deep.equal(tables.table(networkId));
        }
      }
    });
  }
});

function content(table: EndpointTable | undefined): unknown {
  return table === undefined ? undefined : { ...table, version: 0 };
}

function randomChange(random: Random, cluster: StoreFixture, removed: Set<string>): Change[] {
  const pick = (prefix: string, count: number) => `${prefix}${randomInt(random, count)}`;
  const node = pick("n", 4);
  const service = pick("s", 4);
  const task = pick("t", 12);
  const networkId = NETWORKS[randomInt(random, NETWORKS.length)] ?? "net";
  const changes: readonly (() => Change[])[] = [
    () => [createChange("node", nodeObject(node))],
    () => [removeChange("node", node)],
    () => {
      const state = random.next() < 0.5 ? NodeState.DOWN : NodeState.READY;
      const status = { state, message: "", addr: `192.0.2.${randomInt(random, 3)}` };
      return [updateChange("node", node, { status })];
    },
    () => {
      if (cluster.view.networks.get(networkId) === undefined) return [];
      const addresses = [`10.0.0.${randomInt(random, 5)}/24`];
      return [updateChange("node", node, { attachments: [{ networkId, addresses, aliases: [] }] })];
    },
    () => createServiceChanges(service, serviceSpec({ name: service, ...networked(cluster) })),
    () => [removeChange("service", service)],
    () => {
      const present = NETWORKS.filter((id) => cluster.view.networks.get(id) !== undefined);
      const networks = present.map((id) => ({
        networkId: id,
        addresses: [`10.0.0.${randomInt(random, 200)}/24`],
        aliases: [],
      }));
      const slot = 1 + randomInt(random, 3);
      const partial = { id: task, serviceId: service, slot, revision: 1, nodeId: node, networks };
      return [
        createChange("task", Task.fromPartial({ ...partial, desiredState: TaskState.RUNNING })),
      ];
    },
    () => {
      const state = STATES[randomInt(random, STATES.length)] ?? TaskState.RUNNING;
      const status = { state, timestampMs: 0, message: "", err: "" };
      return [updateChange("task", task, { status })];
    },
    () => [updateChange("task", task, { desiredState: TaskState.SHUTDOWN })],
    () => [removeChange("task", task)],
    () => {
      if (random.next() < 0.7) return [];
      // Ids are never used twice: what was removed stays away.
      if (cluster.view.networks.get(networkId) === undefined && !removed.has(networkId)) {
        cluster.addNetwork(networkId, { ingress: networkId === "ingress" });
      }
      return [updateChange("network", networkId, { vni: 4096 + randomInt(random, 2) })];
    },
    () => {
      if (random.next() < 0.95) return [];
      removed.add(networkId);
      return [removeChange("network", networkId)];
    },
  ];
  return changes[randomInt(random, changes.length)]?.() ?? [];
}

function networked(cluster: StoreFixture) {
  const networks = cluster.view.networks.get("net") === undefined ? [] : [{ target: "net" }];
  return {
    task: { container: { image: "nginx" }, networks },
    endpoint: { ports: [{ targetPort: 80, publishedPort: 8000 }] },
  };
}
