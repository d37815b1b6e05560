import { ClusterError } from "../../../core/errors.ts";
import type { Control } from "../../../manager/control/control.ts";
import { PROBE_TIMEOUT_MS } from "../../../manager/dispatcher/host-probe.ts";
import { Pipe } from "./pipe.ts";
import type { SimHost } from "./sim-host.ts";
import type { SimNode } from "./sim-node.ts";
import type { World } from "./world.ts";

/** As over gRPC. */
const CALL_TIMEOUT_MS = 20_000;
/** How often it is looked whether who was asked is gone. */
const RESET_LOOK_MS = 100;
/** How often a machine that is off is asked whether it listens. */
const KNOCK_MS = 1_000;

/**
 * A question and its answer over the network; either may be lost, and what was asked may be done all the same.
 *
 * @param answer what the node asked does; undefined: nobody listens there.
 * @throws {ClusterError} `Unavailable`, or what `answer` throws.
 */
export function ask<T>(
  world: World,
  from: SimHost,
  to: { readonly addr: string; readonly timeoutMs?: number },
  answer: (node: SimNode) => Promise<T> | undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const call = new Call(world, from, to);
    call.place((node) => {
      const answered = answer(node);
      if (answered === undefined) call.lose();
      answered?.then(
        (value) => call.answer(() => resolve(value)),
        (error: unknown) => call.answer(() => reject(error)),
      );
    }, reject);
  });
}

/** One call to a machine, as TCP carries it. */
class Call {
  readonly #world: World;
  readonly #node: SimNode | undefined;
  readonly #there: Pipe;
  readonly #back: Pipe;
  readonly #runHere: (fn: () => void) => void;
  readonly #cancelTimeout: () => void;
  #reject: (error: unknown) => void = () => undefined;
  #isOver = false;

  constructor(
    world: World,
    from: SimHost,
    { addr, timeoutMs = CALL_TIMEOUT_MS }: { readonly addr: string; readonly timeoutMs?: number },
  ) {
    this.#world = world;
    this.#node = world.find(addr);
    const number = this.#node?.host.number ?? 0;
    this.#there = new Pipe(world, from.number, number);
    this.#back = new Pipe(world, number, from.number);
    this.#runHere = from.daemon();
    this.#cancelTimeout = from.clock().after(timeoutMs, () => this.#end(() => this.#fail()));
  }

  place(serve: (node: SimNode) => void, reject: (error: unknown) => void): void {
    this.#reject = reject;
    const arrive = (): void => {
      const node = this.#node;
      if (this.#isOver) return;
      if (node?.host.isUp === true) {
        this.#watch(node.host);
        node.host.daemon()(() => serve(node));
      } else if (node?.host.isPowered === true) {
        this.lose();
      } else {
        this.#world.time.after(KNOCK_MS, () => this.#there.send(arrive));
      }
    };
    this.#there.send(arrive);
  }

  /** From the other side. */
  answer(settle: () => void): void {
    this.#back.send(() => this.#runHere(() => this.#end(settle)));
  }

  /** From the other side: nobody is there who could answer. */
  lose(): void {
    this.answer(() => this.#fail());
  }

  /** A daemon that is gone answers nothing, but its machine's kernel says so. */
  #watch(host: SimHost): void {
    const isAlive = host.aliveness();
    const look = (): void => {
      if (this.#isOver) return;
      if (!isAlive() && host.isPowered) this.lose();
      else this.#world.time.after(RESET_LOOK_MS, look);
    };
    this.#world.time.after(RESET_LOOK_MS, look);
  }

  #end(settle: () => void): void {
    this.#isOver = true;
    this.#cancelTimeout();
    settle();
  }

  #fail(): void {
    this.#reject(new ClusterError("Unavailable", "no answer", { details: { unanswered: true } }));
  }
}

/** Asks the kernel of a host over the network, which answers while the machine has power. */
export function hostAnswers(world: World, from: SimHost, addr: string): Promise<boolean> {
  const host = world.nodes.find((node) => node.addr.startsWith(`${addr}:`))?.host;
  const { network, time } = world;
  return new Promise((resolve) => {
    const runHere = from.daemon();
    const cancel = time.after(PROBE_TIMEOUT_MS, () => runHere(() => resolve(false)));
    time.after(network.delayMs(), () => {
      if (host?.isPowered !== true || !network.passes(from.number, host.number)) return;
      time.after(network.delayMs(), () => {
        if (!network.passes(host.number, from.number)) return;
        cancel();
        runHere(() => resolve(true));
      });
    });
  });
}

/** Control over the network. */
export function remoteControl(world: World, from: SimHost, addr: string): Control {
  type Method = (...args: readonly unknown[]) => Promise<unknown>;
  return new Proxy({} as Control, {
    get: (_target, method) => {
      // A Control that was awaited is no promise.
      if (method === "then") return undefined;
      return (...args: readonly unknown[]) =>
        ask(world, from, { addr }, ({ manager }) => {
          const local = manager.running?.local as unknown as Record<PropertyKey, Method>;
          return local?.[method]?.(...args);
        });
    },
  });
}
