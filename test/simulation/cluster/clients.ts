import { ClusterError, type ErrorCode, errorCode } from "../../../core/errors.ts";
import { randomInt } from "../../../core/random.ts";
import type { Control } from "../../../manager/control/control.ts";
import {
  type DeepPartial,
  EndpointSpec_Mode,
  type NodeSpec,
  type PortConfig,
  PortConfig_PublishMode,
  type Service,
  ServiceSpec,
  UpdateConfig_Order,
} from "../../../proto/gen/objects.ts";
import { ABSENT, type ServiceOp } from "./named-services.ts";
import type { World } from "./world.ts";

/** With a hyphen, or a name could be the beginning of an id. */
const NAMES = ["web-a", "api-b", "db-c"];
const REPLICAS_MAX = 4;
/** So that all replicas of all services fit twice on the machines of a run. */
const CPU_CHOICES = [0, 0.25, 0.5];
/** Too small to waste addresses. */
export const CLIENTS_NETWORK = {
  name: "net-a",
  driver: "overlay",
  ipam: [{ subnet: "10.200.0.0/27" }],
};
/** Some ports of every kind: on all nodes, on the task's node alone, none. */
const PORTS: Readonly<Record<string, DeepPartial<PortConfig>[]>> = {
  "web-a": [{ targetPort: 80, publishedPort: 8080 }],
  "db-c": [{ targetPort: 90, publishedPort: 9090, publishMode: PortConfig_PublishMode.HOST }],
};
const CLIENTS_PER_NAME = 3;
const PATIENCE_MS = 10_000;

/** What became of a request, by its error: `undone` is sure, `unknown` may have happened. */
type Failure = "undone" | "unknown" | ErrorCode;

/** Users at any manager who declare, scale, update and remove services and read them back. */
export class Clients {
  readonly #world: World;
  readonly #clientsAt = new Map<string, number>();
  #tags = 0;
  answered = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** One request of one kind at one manager. */
  act(): void {
    const { random } = this.#world;
    const name = NAMES[randomInt(random, NAMES.length)] ?? "";
    if ((this.#clientsAt.get(name) ?? 0) >= CLIENTS_PER_NAME) return;
    const control = this.#someControl();
    if (control === undefined) return;
    const dice = random.next();
    if (dice < 0.35) this.#create(control, name);
    else if (dice < 0.65) this.#update(control, name);
    else if (dice < 0.75) this.#remove(control, name);
    else this.#read(this.#formerControl() ?? control, name);
  }

  /** Drains a node, pauses it or takes it back; promotes or demotes it. */
  setNode(nodeId: string, change: Partial<NodeSpec>): void {
    const control = this.#someControl();
    control
      ?.getNode(nodeId)
      .then(async ({ node }) => {
        if (node?.spec === undefined) return;
        const spec = { ...node.spec, ...change };
        await control.updateNode(nodeId, node.meta?.version ?? 0, spec);
      })
      .catch(() => undefined);
  }

  /** The last word on every name, so that what was acknowledged and lost shows. */
  async readAll(control: Control): Promise<void> {
    for (const name of NAMES) {
      const heard = this.#world.clients.begin({ kind: "read", name });
      heard({ kind: "read", name, heard: await read(control, name) });
    }
  }

  #someControl(): Control | undefined {
    const { managers, random } = this.#world;
    return managers[randomInt(random, managers.length)]?.manager.running?.control;
  }

  /** At a manager that was overtaken and does not know it yet: who reads there reads what was. */
  #formerControl(): Control | undefined {
    const { nodes, leader } = this.#world;
    const former = nodes.find((node) => node.isLeading && node !== leader);
    return former?.manager.running?.control;
  }

  #create(control: Control, name: string): void {
    const tag = this.#newTag();
    const op = { kind: "create", name, tag } as const;
    this.#ask(op, control.createService(this.#spec(name, tag)), (failure) => {
      if (failure === undefined) return { ...op, heard: "done" };
      return failure === "AlreadyExists" ? { ...op, heard: "exists" } : undefined;
    });
  }

  /** Reads what there is and puts another content in its place. */
  #update(control: Control, name: string): void {
    control.getService(name).then(
      (service) => {
        const tag = this.#newTag();
        const op = { kind: "update", name, expected: tagOf(service), tag } as const;
        const spec = this.#spec(name, tag, service.spec);
        const version = service.meta?.version ?? 0;
        const request = {
          ref: service.id,
          version,
          spec,
          rollback: false,
          authFromPrevious: false,
        };
        this.#ask(op, control.updateService(request), (failure) => {
          if (failure === undefined) return { ...op, heard: "done" };
          return failure === "Aborted" ? { ...op, heard: "outOfSequence" } : undefined;
        });
      },
      () => undefined,
    );
  }

  #remove(control: Control, name: string): void {
    const op = { kind: "remove", name } as const;
    this.#ask(op, control.removeService(name), (failure) => {
      if (failure === undefined) return { ...op, heard: "done" };
      return failure === "NotFound" ? { ...op, heard: "notFound" } : undefined;
    });
  }

  #read(control: Control, name: string): void {
    const op = { kind: "read", name } as const;
    let seen = ABSENT;
    const asked = read(control, name).then((tag) => {
      seen = tag;
    });
    this.#ask(op, asked, (failure) => (failure === undefined ? { ...op, heard: seen } : undefined));
  }

  /** @param heard what the answer says; undefined: nothing is known. */
  #ask(
    op: ServiceOp,
    request: Promise<unknown>,
    heard: (failure: Failure | undefined) => ServiceOp | undefined,
  ): void {
    const { name } = op;
    this.#clientsAt.set(name, (this.#clientsAt.get(name) ?? 0) + 1);
    const hear = this.#world.clients.begin(op);
    let isOver = false;
    const end = (answer: ServiceOp | undefined): void => {
      if (isOver) return;
      isOver = true;
      this.#clientsAt.set(name, (this.#clientsAt.get(name) ?? 1) - 1);
      if (answer === undefined) return;
      this.answered++;
      hear(answer);
    };
    this.#world.time.after(PATIENCE_MS, () => end(undefined));
    request.then(
      () => end(heard(undefined)),
      (error: unknown) => end(heard(failureOf(error))),
    );
  }

  #newTag(): string {
    return `t${++this.#tags}`;
  }

  #spec(name: string, tag: string, before?: ServiceSpec): ServiceSpec {
    const { random } = this.#world;
    const nanoCpus = (CPU_CHOICES[randomInt(random, CPU_CHOICES.length)] ?? 0) * 1e9;
    const scaleOnly = before?.task !== undefined && random.next() < 0.5;
    const isStartFirst = name === "api-b";
    const mode = isStartFirst ? EndpointSpec_Mode.DNSRR : EndpointSpec_Mode.VIP;
    return ServiceSpec.fromPartial({
      name,
      labels: { tag },
      mode: { $case: "replicated", value: { replicas: randomInt(random, REPLICAS_MAX + 1) } },
      task: scaleOnly
        ? before?.task
        : {
            container: { image: "nginx:1", env: [tag], stopGracePeriodNs: 1e9 },
            resources: { reservations: { nanoCpus } },
            restart: { delayNs: 200e6 },
            networks: name === "db-c" ? [] : [{ target: CLIENTS_NETWORK.name }],
          },
      endpoint: { mode, ports: PORTS[name] ?? [] },
      update: {
        parallelism: 1 + randomInt(random, 2),
        monitorNs: 300e6,
        order: isStartFirst ? UpdateConfig_Order.START_FIRST : UpdateConfig_Order.STOP_FIRST,
        failureAction: 2,
      },
    });
  }
}

/** What there is under a name. @throws {ClusterError} when nobody can say. */
async function read(control: Control, name: string): Promise<string> {
  try {
    return tagOf(await control.getService(name));
  } catch (error) {
    if (errorCode(error) === "NotFound") return ABSENT;
    throw error;
  }
}

function tagOf(service: Service): string {
  return service.spec?.labels.tag ?? ABSENT;
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof ClusterError)) throw error;
  return error.code;
}
