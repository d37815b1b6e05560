import { ClusterError } from "../../../core/errors.ts";
import { ANY_ADDRESS, clashes, type HostPort, hostPortName, hostPortText } from "./host-port.ts";
import { candidatePorts, type PortRange } from "./port-choice.ts";
import type { PortBinding, PublishedPort } from "./types.ts";

/** How ports of this machine are kept from others. */
export interface PortSockets {
  /**
   * @returns what `release` takes.
   * @throws {ClusterError} details.errno is EADDRINUSE when another program has the port.
   */
  hold(port: HostPort): number;
  release(handle: number): void;
}

interface HeldPort {
  readonly owner: string;
  readonly port: HostPort;
  /** Undefined: another program took it while no daemon held it. */
  readonly handle: number | undefined;
}

/**
 * The ports of this machine that lead to somebody: who has which, and sockets that keep other programs from them.
 *
 * Nothing is read from the sockets, for rules turn packets away before they come to one. No two ports held clash.
 */
export class HostPorts {
  readonly #sockets: PortSockets;
  readonly #ephemeral: PortRange;
  /** By protocol and number: one each of several addresses. */
  readonly #held = new Map<string, HeldPort[]>();
  /** The one given last to who wanted any. */
  #lastGiven = 0;

  constructor(sockets: PortSockets, ephemeral: PortRange) {
    this.#sockets = sockets;
    this.#ephemeral = ephemeral;
  }

  /**
   * Takes a port for each binding, all or none, for one who has none.
   *
   * @returns one for each, in their order.
   * @throws {ClusterError} AlreadyExists with Docker's words when one cannot be had; InvalidArgument for an address that is
   *   not this machine's; Unimplemented without SCTP.
   */
  take(owner: string, bindings: readonly PortBinding[]): PublishedPort[] {
    try {
      return bindings.map((binding) => this.#take(owner, binding));
    } catch (error) {
      this.release(owner);
      throw error;
    }
  }

  /**
   * Takes ports an owner had under an earlier daemon, and which lead to it still.
   *
   * @returns those another program has taken meanwhile.
   */
  takeBack(owner: string, ports: readonly PublishedPort[]): PublishedPort[] {
    return ports.filter((port) => {
      const handle = this.#maybeHold(port);
      this.#keep({ owner, port, handle });
      return handle === undefined;
    });
  }

  /**
   * Makes an owner have just these ports, also such as another program has: that gets nothing of them from now on.
   *
   * @returns those another owner has.
   */
  settle(owner: string, wanted: readonly HostPort[]): HostPort[] {
    const own = [...this.#held.values()].flat().filter((one) => one.owner === owner);
    const names = new Set(wanted.map(hostPortName));
    for (const one of own) if (!names.has(hostPortName(one.port))) this.#drop(one);
    const kept = new Set(own.map((one) => hostPortName(one.port)));
    return wanted.filter((port) => {
      const name = hostPortName(port);
      if (kept.has(name)) return false;
      const clashing = this.#held.get(keyOf(port))?.filter((one) => clashes(one.port, port)) ?? [];
      if (clashing.length > 0) return true;
      this.#keep({ owner, port, handle: this.#maybeHold(port) });
      kept.add(name);
      return false;
    });
  }

  /** Gives back all an owner has. No error when it has none. */
  release(owner: string): void {
    for (const one of [...this.#held.values()].flat()) if (one.owner === owner) this.#drop(one);
  }

  /** Lets go of all sockets. */
  close(): void {
    for (const { handle } of [...this.#held.values()].flat())
      if (handle !== undefined) this.#sockets.release(handle);
    this.#held.clear();
  }

  #take(owner: string, binding: PortBinding): PublishedPort {
    const { port, protocol, hostPortFirst, hostPortLast } = binding;
    const hostAddress = binding.hostAddress === "" ? ANY_ADDRESS : binding.hostAddress;
    let refusal: ClusterError | undefined;
    for (const hostPort of candidatePorts(binding, this.#ephemeral, this.#lastGiven)) {
      const wanted = { port, protocol, hostAddress, hostPort };
      refusal = this.#tryHold(owner, wanted);
      if (refusal !== undefined) continue;
      if (hostPortLast === 0) this.#lastGiven = hostPort;
      return wanted;
    }
    if (refusal !== undefined && hostPortLast > 0 && hostPortFirst === hostPortLast) throw refusal;
    const range = hostPortLast === 0 ? "" : `:${hostPortFirst}-${hostPortLast}`;
    throw taken(`Bind for ${hostAddress}${range} failed: all ports are allocated`);
  }

  /** @returns why the port cannot be had; undefined: the owner has it now. */
  #tryHold(owner: string, port: HostPort): ClusterError | undefined {
    if (this.#held.get(keyOf(port))?.some((one) => clashes(one.port, port)))
      return taken(`Bind for ${hostPortText(port)} failed: port is already allocated`);
    try {
      this.#keep({ owner, port, handle: this.#sockets.hold(port) });
      return undefined;
    } catch (error) {
      return takenByOther(error, port);
    }
  }

  #maybeHold(port: HostPort): number | undefined {
    try {
      return this.#sockets.hold(port);
    } catch {
      return undefined;
    }
  }

  #drop(held: HeldPort): void {
    if (held.handle !== undefined) this.#sockets.release(held.handle);
    const key = keyOf(held.port);
    const rest = this.#held.get(key)?.filter((one) => one !== held) ?? [];
    if (rest.length === 0) this.#held.delete(key);
    else this.#held.set(key, rest);
  }

  #keep(held: HeldPort): void {
    const key = keyOf(held.port);
    const all = this.#held.get(key);
    if (all === undefined) this.#held.set(key, [held]);
    else all.push(held);
  }
}

function keyOf({ protocol, hostPort }: HostPort): string {
  return `${protocol}/${hostPort}`;
}

function taken(message: string): ClusterError {
  return new ClusterError("AlreadyExists", message);
}

/**
 * That another program has the port, in Docker's words.
 *
 * @throws {ClusterError} for every other reason, which another port would meet too.
 */
function takenByOther(error: unknown, port: HostPort): ClusterError {
  const errno = error instanceof ClusterError ? error.details.errno : undefined;
  const failed = `failed to bind host port ${hostPortName(port)}`;
  switch (errno) {
    case "EADDRINUSE":
      return taken(`${failed}: address already in use`);
    case "EADDRNOTAVAIL":
      throw new ClusterError("InvalidArgument", `${failed}: cannot assign requested address`);
    case "EPROTONOSUPPORT":
    case "ESOCKTNOSUPPORT":
      throw new ClusterError("Unimplemented", `${failed}: protocol not supported by this kernel`);
    default:
      throw error;
  }
}
