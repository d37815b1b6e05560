import { ClusterError } from "../../../core/errors.ts";
import type { Random } from "../../../core/random.ts";
import type {
  Container,
  ContainerConfig,
  ContainerEvent,
  ContainerId,
  Containers,
  LogRecord,
} from "../../../runtime/container/types.ts";
import { MemoryContainers } from "../../support/worker/memory-containers.ts";
import type { VirtualTime } from "../raft/virtual-time.ts";
import type { SimHost } from "./sim-host.ts";

/** Longest a call to make, start or remove a container takes. */
const CALL_MAX_MS = 60;
/** Longest a container takes to heed its stop signal; some do not and are killed when their grace is over. */
const STOP_MAX_MS = 250;
const STUBBORN = 0.05;
/** Chance that a container cannot be started at all. */
const BAD_START = 0.03;

/** The containers of a machine: they outlive its daemon, not a loss of its power. */
export class HostContainers {
  readonly all: MemoryContainers;
  readonly #time: VirtualTime;
  readonly #random: Random;

  readonly #onStop: (container: Container) => void;

  /** @param onStop told of each container a daemon is about to stop. */
  constructor(time: VirtualTime, host: SimHost, onStop: (container: Container) => void) {
    this.#onStop = onStop;
    this.#time = time;
    this.#random = host.random;
    let last = 0;
    this.all = new MemoryContainers(() => `${host.number}`.padEnd(12, "0") + ++last);
  }

  get running(): readonly Container[] {
    return this.all.list().filter(({ state }) => state === "running");
  }

  /** Every process ends, nobody hears of it. */
  losePower(): void {
    for (const { id } of this.running) this.all.exit(id, 137);
  }

  /** One of its processes ends by itself. */
  endOne(exitCode: number): void {
    const { running } = this;
    const one = running[Math.floor(this.#random.next() * running.length)];
    if (one !== undefined) this.all.exit(one.id, exitCode);
  }

  /** As the daemon there is now uses them; calls of one that is gone have no effect and no end. */
  serve(host: SimHost): Containers {
    const delay = host.delayer(CALL_MAX_MS);
    const isAlive = host.aliveness();
    const run = host.daemon();
    const { all } = this;
    return {
      create: async (config: ContainerConfig) => {
        await delay();
        return all.create(config);
      },
      start: async (id) => {
        await delay();
        if (this.#random.next() < BAD_START) {
          throw new ClusterError("Internal", "cannot start container: exec failed");
        }
        await all.start(id);
      },
      stop: async (id, options) => {
        this.#onStop(all.get(id));
        const graceMs = options?.timeoutMs ?? 0;
        const isStubborn = this.#random.next() < STUBBORN;
        const tookMs = isStubborn ? graceMs : Math.min(this.#random.next() * STOP_MAX_MS, graceMs);
        await new Promise<void>((resolve) => {
          this.#time.after(tookMs, () => run(resolve));
        });
        await all.stop(id);
      },
      kill: async (id) => {
        this.#onStop(all.get(id));
        await delay();
        await all.kill(id);
      },
      remove: async (id) => {
        await delay();
        await all.remove(id);
      },
      wait: (id) => all.wait(id),
      get: (id) => all.get(id),
      list: () => all.list(),
      logs: () => NO_LINES,
      exec: () => all.exec(),
      onEvent: (listener: (event: ContainerEvent) => void) =>
        all.onEvent((event) => {
          if (isAlive()) run(() => listener(event));
        }),
    };
  }
}

const NO_LINES: AsyncIterable<LogRecord> = {
  async *[Symbol.asyncIterator]() {},
};

/** Label of a container, empty if it has none. */
export function labelOf(container: Container, label: "task" | "service"): string {
  return container.config.labels[`com.docker.swarm.${label}.id`] ?? "";
}

export type { ContainerId };
