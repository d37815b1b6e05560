import { expect } from "chai";
import { type Random, randomInt } from "../../core/random.ts";
import { checkServiceSpec, SPEC_BYTES_MAX } from "../../manager/control/validate/service-spec.ts";
import { ENTRY_BYTES_MAX, SNAPSHOT_PART_BYTES } from "../../manager/log/replicated-log.ts";
import { createChange, removeChange, updateChange } from "../../manager/store/changes.ts";
import { createServiceChanges, updateServiceChanges } from "../../manager/store/service-changes.ts";
import { Store } from "../../manager/store/store.ts";
import {
  Config,
  NodeAvailability,
  Secret,
  ServiceSpec,
  type ServiceSpec as Spec,
} from "../../proto/gen/objects.ts";
import { RaftMessage } from "../../proto/gen/raft.ts";
import { CONFIG_BYTES_MAX, MESSAGE_BYTES_MAX, SECRET_BYTES_LIMIT } from "../../proto/limits.ts";
import { EntryList } from "../../raft-ts/entry-list.ts";
import { MeasuredCluster } from "../support/bounded/measured-cluster.ts";
import {
  controlMessages,
  type Message,
  sessionMessages,
} from "../support/bounded/sent-messages.ts";
import { nodeObject, StoreFixture, serviceSpec } from "../support/store-fixture.ts";

/** What raft-ts puts into one append; `appendBytesMax`. */
const APPEND_BYTES = 1024 * 1024;

/** Stores that grow, each with some objects as large as they may be. */
const SIZES = [
  { seed: 1, nodes: 3, replicas: 50, networks: 2, fat: 1, configs: 2 },
  { seed: 2, nodes: 8, replicas: 500, networks: 20, fat: 3, configs: 5 },
  { seed: 3, nodes: 20, replicas: 8_000, networks: 62, fat: 5, configs: 12 },
];

describe("messages and log entries do not grow with the cluster", function () {
  this.timeout(120_000);
  for (const size of SIZES) {
    const { seed, nodes, replicas, networks, fat, configs } = size;
    it(`in a swarm of ${nodes} nodes and ${replicas} tasks (seed ${seed})`, async () => {
      const cluster = new MeasuredCluster(seed);
      await fill(cluster, size);
      await cluster.work();
      await check(cluster);

      // All of it moves at once: a drained node, a changed spec, a service scaled away, another removed.
      const drained = { ...nodeObject("n1").spec, availability: NodeAvailability.DRAIN };
      await cluster.write(updateChange("node", "n1", { spec: drained as never }));
      await cluster.work();
      const wide = cluster.view.services.get("wide") ?? expect.fail("there is no service");
      await cluster.write(
        ...updateServiceChanges(cluster.view, wide, spec("wide", { replicas: 1, env: ["A=2"] })),
      );
      await cluster.work();
      await cluster.write(removeChange("service", "many"));
      await cluster.work();
      await check(cluster);
      expect([...cluster.view.tasks.ofService("many")]).to.deep.equal([]);
      expect(networks + fat + configs).to.be.greaterThan(0);
    });
  }
});

/** @throws when anything sent or stored is larger than its bound. */
async function check(cluster: MeasuredCluster): Promise<void> {
  const { view, store, entries } = cluster;
  const messages: Message[] = await controlMessages(cluster);
  for (const { id } of view.nodes.values()) messages.push(...sessionMessages(cluster, id));
  const [largest] = messages.sort((a, b) => b.bytes - a.bytes);
  expect(largest?.bytes, largest?.what).to.be.lessThan(MESSAGE_BYTES_MAX);
  expect(Math.max(...entries.map((entry) => entry.length))).to.be.at.most(ENTRY_BYTES_MAX);
  expect(largestAppend(entries)).to.be.lessThan(MESSAGE_BYTES_MAX);

  const parts = [...store.snapshot()];
  expect(Math.max(...parts.map((part) => part.length))).to.be.at.most(SNAPSHOT_PART_BYTES);
  const copy = new Store();
  copy.restore(view.index, parts);
  expect(copy.view().tasks.size).to.equal(view.tasks.size);
}

/** Of the messages by which a follower that has nothing is brought up to date. */
function largestAppend(data: readonly Uint8Array[]): number {
  const list = new EntryList({ index: 0, term: 0 });
  for (const [i, bytes] of data.entries()) {
    list.append([{ index: i + 1, term: 1, kind: "normal", data: bytes }]);
  }
  let largest = 0;
  for (let from = 1; from <= data.length; ) {
    const entries = list.slice(from, data.length, APPEND_BYTES);
    from += entries.length;
    const wire = entries.map((entry) => ({
      ...{ index: entry.index, term: entry.term, confChange: false },
      data: Buffer.from(entry.data),
    }));
    const value = { prevIndex: from, prevTerm: 1, entries: wire, commit: from };
    const kind = { $case: "append" as const, value };
    largest = Math.max(
      largest,
      RaftMessage.encode({ from: 1, to: 2, term: 1, kind }).finish().length,
    );
  }
  return largest;
}

async function fill(cluster: MeasuredCluster, size: (typeof SIZES)[number]): Promise<void> {
  const { random } = cluster;
  const fixture = new StoreFixture();
  fixture.addCluster();
  const own = fixture.view.cluster ?? expect.fail("the fixture has no cluster");
  // Room for thousands of addresses on one network.
  await cluster.write(createChange("cluster", { ...own, subnetSize: 16 }));
  const labels = { text: "l".repeat(200_000) };
  for (let i = 1; i <= size.nodes; i++) {
    const node = nodeObject(`n${i}`, { nanoCpus: 1e13, memoryBytes: 2 ** 50, labels });
    await cluster.write(createChange("node", node));
  }
  const ids = Array.from({ length: size.networks }, (_, i) => `net${i}`);
  for (const id of ids) {
    const driverOptions = { note: "n".repeat(7_000) };
    const network = { id, meta: undefined, vni: 0, ipam: [] };
    await cluster.write(
      createChange("network", {
        ...network,
        spec: {
          ...{ name: id, labels: {}, driver: "overlay", internal: false, attachable: false },
          ...{ ingress: false, ipam: [], driverOptions },
        },
      }),
    );
  }
  for (let i = 0; i < size.configs; i++) {
    const data = Buffer.alloc(CONFIG_BYTES_MAX - randomInt(random, 3), "c");
    const config = Config.fromPartial({ id: `c${i}`, spec: { name: `c${i}`, labels }, data });
    const secret = {
      id: `s${i}`,
      spec: { name: `s${i}` },
      data: data.subarray(0, SECRET_BYTES_LIMIT - 1),
    };
    await cluster.write(createChange("config", config));
    await cluster.write(createChange("secret", Secret.fromPartial(secret)));
  }
  const half = Math.floor(size.replicas / 2);
  const read = Array.from({ length: size.configs }, (_, i) => `${i}`);
  await cluster.write(...createServiceChanges("many", spec("many", { replicas: half, read })));
  await cluster.write(...createServiceChanges("wide", spec("wide", { replicas: half })));
  for (let i = 0; i < size.fat; i++) {
    const fat = fatSpec(random, `fat${i}`, ids);
    checkServiceSpec(fat);
    await cluster.write(...createServiceChanges(`fat${i}`, fat));
  }
}

function spec(
  name: string,
  part: { readonly replicas: number; readonly read?: readonly string[]; readonly env?: string[] },
): Spec {
  const { replicas, read = [], env = [] } = part;
  const configs = read.map((i) => ({
    configId: `c${i}`,
    configName: `c${i}`,
    file: { name: `c${i}` },
  }));
  const secrets = read.map((i) => ({
    secretId: `s${i}`,
    secretName: `s${i}`,
    file: { name: `s${i}` },
  }));
  const networks = [{ target: "net0", aliases: ["alias"] }];
  return serviceSpec({
    name,
    replicas,
    task: {
      container: { image: "nginx:1", env, configs, secrets },
      restart: { delayNs: 0 },
      networks,
    },
  });
}

/** As large as a spec may be: in its environment, or in the aliases that go into tasks and endpoint tables. */
function fatSpec(random: Random, name: string, networks: readonly string[]): Spec {
  const inAliases = networks.length > 0 && random.next() < 0.6;
  const room = SPEC_BYTES_MAX - 20_000;
  const aliases = Array.from(
    { length: Math.floor(room / 60) },
    (_, i) => `a${i}-${"x".repeat(50)}`,
  );
  const each = Math.floor(aliases.length / Math.max(1, networks.length));
  return ServiceSpec.fromPartial({
    ...serviceSpec({ name, replicas: 3 }),
    task: {
      container: { image: "nginx:1", env: inAliases ? [] : [`A=${"e".repeat(room)}`] },
      networks: networks.map((target, i) => ({
        target,
        aliases: inAliases ? aliases.slice(i * each, (i + 1) * each) : [],
      })),
    },
  });
}
