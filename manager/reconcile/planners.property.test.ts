import { expect } from "chai";
import { randomInt } from "../../core/random.ts";
import {
  NodeAvailability,
  NodeState,
  PortConfig_PublishMode,
  TaskState,
} from "../../proto/gen/objects.ts";
import { ControlFixture } from "../../test/support/control-fixture.ts";
import { type ServiceSpecInput, serviceSpec } from "../../test/support/store-fixture.ts";
import { ingressNetwork } from "../allocator/network-plan.ts";
import { createChange, removeChange, updateChange } from "../store/changes.ts";
import { replicasOf } from "../store/objects.ts";
import {
  createServiceChanges,
  removeServiceChanges,
  rollbackServiceChanges,
  updateServiceChanges,
} from "../store/service-changes.ts";
import { isEnded, isHeld, isWanted } from "../store/task-life.ts";

const GIB = 2 ** 30;
const STEPS = 100;
const SEEDS = 16;

/** A swarm to which things happen by chance; the planners are run to rest after each. */
class RandomSwarm {
  readonly fixture: ControlFixture;
  #names = 0;

  constructor(seed: number) {
    this.fixture = new ControlFixture({ seed });
    this.fixture.addCluster();
    this.fixture.must(createChange("network", ingressNetwork("ingress")));
    this.fixture.addNetwork("net", { subnet: "192.168.0.0/27" });
    for (let i = 0; i < 4; i++) this.#addNode();
    this.fixture.settle();
  }

  step(): void {
    const { fixture } = this;
    const actions: readonly (() => void)[] = [
      () => this.#addNode(),
      () => this.#touchNode(),
      () => this.#touchNode(),
      () => this.#removeNode(),
      () => this.#addService(),
      () => this.#updateService(),
      () => this.#updateService(),
      () => this.#removeService(),
      () => fixture.pass(this.#int(20_000)),
      () => fixture.forget(),
    ];
    const often = Array.from({ length: 30 }, () => () => this.#workSome());
    this.#pick([...actions, ...often])();
    fixture.settle();
  }

  /** All nodes come back, workers do what they should: the swarm must come to what is asked for. */
  recover(): void {
    const { fixture } = this;
    for (const node of fixture.view.nodes.values()) {
      this.#setNode(node.id, NodeState.READY, NodeAvailability.ACTIVE);
    }
    for (let round = 0; round < 12; round++) {
      fixture.work();
      fixture.pass(400_000);
    }
    fixture.work();
  }

  #addNode(): void {
    if (this.fixture.view.nodes.size >= 8) return;
    const id = `n${++this.#names}`;
    this.fixture.addNode(id, {
      memoryBytes: (1 + this.#int(6)) * GIB,
      labels: { zone: `z${this.#int(2)}` },
    });
  }

  #touchNode(): void {
    const node = this.#pick([...this.fixture.view.nodes.values()]);
    if (node === undefined) return;
    const state = this.#pick([NodeState.DOWN, NodeState.READY, NodeState.DISCONNECTED]);
    const { ACTIVE, PAUSE, DRAIN } = NodeAvailability;
    this.#setNode(node.id, state, this.#pick([ACTIVE, ACTIVE, PAUSE, DRAIN]));
  }

  #setNode(id: string, state: NodeState, availability: NodeAvailability): void {
    const node = this.fixture.view.nodes.get(id);
    if (node === undefined) return;
    const spec = { ...node.spec, availability };
    const status = { state, message: "", addr: "192.0.2.1" };
    this.fixture.must(updateChange("node", id, { spec, status }));
  }

  #removeNode(): void {
    const { nodes } = this.fixture.view;
    const node = this.#pick([...nodes.values()]);
    if (nodes.size > 2 && node !== undefined) this.fixture.must(removeChange("node", node.id));
  }

  #spec(name: string): ServiceSpecInput {
    const flip = () => this.#int(2) === 0;
    const hostPort = {
      targetPort: 80,
      publishedPort: 8080,
      publishMode: PortConfig_PublishMode.HOST,
    };
    const open = { targetPort: 80, publishedPort: 0 };
    const config = {
      parallelism: this.#int(3),
      order: 1 + this.#int(2) === 1 ? (1 as const) : (2 as const),
      failureAction: this.#pick([1, 2, 3] as const),
      delayNs: this.#int(2) * 1e9,
    };
    return {
      name,
      ...(this.#int(5) === 0
        ? { mode: { $case: "global" as const, value: {} } }
        : { replicas: this.#int(7) }),
      task: {
        container: { image: `image:${this.#int(4)}` },
        networks: flip() ? [{ target: "net" }] : [],
        resources: { reservations: { memoryBytes: this.#int(3) * GIB } },
        restart: { condition: this.#pick([2, 3, 3] as const), delayNs: this.#int(2) * 1e9 },
        placement: {
          constraints: this.#int(4) === 0 ? ["node.labels.zone == z1"] : [],
          maxReplicas: this.#int(4) === 0 ? 2 : 0,
          spread: flip() ? ["node.labels.zone"] : [],
        },
      },
      update: config,
      endpoint: { ports: [...(flip() ? [open] : []), ...(this.#int(5) === 0 ? [hostPort] : [])] },
    };
  }

  #addService(): void {
    if (this.fixture.view.services.size >= 5) return;
    const id = `s${++this.#names}`;
    this.fixture.must(...createServiceChanges(id, serviceSpec(this.#spec(id))));
  }

  #updateService(): void {
    const { view, nowMs } = this.fixture;
    const service = this.#pick([...view.services.values()]);
    if (service === undefined) return;
    const changes =
      this.#int(4) === 0
        ? rollbackServiceChanges(view, service, nowMs)
        : updateServiceChanges(view, service, serviceSpec(this.#spec(service.spec.name)));
    // A spec rolled back to may ask for a port that another has by now.
    if (changes !== undefined) this.fixture.apply(...changes);
  }

  #removeService(): void {
    const service = this.#pick([...this.fixture.view.services.values()]);
    if (service !== undefined) this.fixture.must(...removeServiceChanges(service));
  }

  #workSome(): void {
    for (let i = 0; i < 6; i++) this.fixture.workAtRandom(0.1);
  }

  #int(limit: number): number {
    return randomInt(this.fixture.random, limit);
  }

  #pick<T>(items: readonly [T, ...T[]]): T;
  #pick<T>(items: readonly T[]): T;
  #pick<T>(items: readonly T[]): T | undefined {
    return items[this.#int(items.length)];
  }
}

/** Σ reservations of held tasks <= what the node has; host ports and addresses have one holder each. */
function checkSafety({ fixture }: RandomSwarm): void {
  const { view } = fixture;
  for (const node of view.nodes.values()) {
    let memoryBytes = 0;
    const ports = new Set<string>();
    for (const task of view.tasks.ofNode(node.id)) {
      if (!isHeld(task)) continue;
      const revision = view.revisions.find(task.serviceId, task.revision);
      expect(revision, `revision of task ${task.id}`).not.to.equal(undefined);
      memoryBytes += revision?.task.resources?.reservations?.memoryBytes ?? 0;
      for (const port of revision?.hostPorts ?? []) {
        expect(ports.has(`${port.publishedPort}`), "host port twice on a node").to.equal(false);
        ports.add(`${port.publishedPort}`);
      }
    }
    const has = node.description?.resources?.memoryBytes ?? 0;
    expect(memoryBytes, `memory of ${node.id}`).to.be.at.most(has);
  }

  const holders = new Map<string, string>();
  const hold = (holder: string, networkId: string, address: string) => {
    const key = `${networkId} ${address}`;
    expect(holders.get(key) ?? holder, `holder of ${key}`).to.equal(holder);
    holders.set(key, holder);
  };
  for (const task of view.tasks.values()) {
    if (isEnded(task)) continue;
    for (const { networkId, addresses } of task.networks)
      hold(task.id, networkId, addresses[0] ?? "");
  }
  for (const { id, endpoint } of view.services.values()) {
    for (const { networkId, address } of endpoint?.virtualIps ?? []) hold(id, networkId, address);
  }
  for (const { id, attachments } of view.nodes.values()) {
    for (const { networkId, addresses } of attachments) hold(id, networkId, addresses[0] ?? "");
  }

  for (const service of view.services.values()) {
    const replicas = replicasOf(service);
    for (const [slot, tasks] of view.tasks.slotsOf(service.id)) {
      expect(tasks.filter(isWanted).length, `wanted in slot ${slot}`).to.be.at.most(2);
    }
    const slots = [...view.tasks.slotsOf(service.id).values()];
    if (replicas === undefined) continue;
    const wanted = slots.filter((tasks) => tasks.some(isWanted)).length;
    expect(wanted, `slots of ${service.spec.name}`).to.be.at.most(replicas);
  }
}

/** What could be done has been: each slot has its task, or one that says why it waits. */
function checkLiveness({ fixture }: RandomSwarm): void {
  const { view } = fixture;
  for (const service of view.services.values()) {
    const replicas = replicasOf(service);
    const slots = [...view.tasks.slotsOf(service.id).values()];
    if (replicas !== undefined) expect(slots.length).to.equal(replicas);
    for (const tasks of slots) {
      const wanted = tasks.filter(isWanted);
      if (wanted.length === 0) continue;
      const runs = wanted.some((task) => task.status.state === TaskState.RUNNING);
      const says = wanted.some((task) => task.status.err !== "");
      expect(runs || says, `a slot of ${service.spec.name} runs or says why not`).to.equal(true);
    }
  }
  for (const task of view.tasks.values()) {
    expect(view.services.get(task.serviceId), "tasks of removed services are gone").not.to.equal(
      undefined,
    );
    if (!isWanted(task)) expect(isEnded(task), "what is to stop has stopped").to.equal(true);
  }
}

describe("planners: whatever happens", function () {
  this.timeout(60_000);
  for (let seed = 1; seed <= SEEDS; seed++) {
    it(`nothing is given twice, and all comes to what is asked for (seed ${seed})`, () => {
      const swarm = new RandomSwarm(seed);
      for (let step = 0; step < STEPS; step++) {
        swarm.step();
        checkSafety(swarm);
      }
      swarm.recover();
      checkSafety(swarm);
      checkLiveness(swarm);
    });
  }
});
