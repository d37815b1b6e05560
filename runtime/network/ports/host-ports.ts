import { ClusterError } from "../../../core/errors.ts";
import { ANY_ADDRESS, clashes, type HostPort, hostPortName } from "./host-port.ts";
import { candidatePorts, type PortRange } from "./port-choice.ts";
import type { PlacedBinding } from "./port-places.ts";
import type { PublishedPort } from "./types.ts";

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
 * Of IPv4 nothing comes to the sockets, for rules turn packets away before. No two ports held clash.
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
   * @returns one for each of its addresses, in their order; all of a binding have the same number.
   * @throws {ClusterError} AlreadyExists with Docker's words when one cannot be had; InvalidArgument for an address that is
   *   not this machine's; Unimplemented without SCTP.
   */
  take(owner: string, bindings: readonly PlacedBinding[]): PublishedPort[] {
    try {
      return bindings.flatMap((binding) => this.#take(owner, binding));
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

  /** The socket of a port somebody has; undefined when another program has taken it. */
  handleOf(port: HostPort): number | undefined {
    const name = hostPortName(port);
    return this.#held.get(keyOf(port))?.find((one) => hostPortName(one.port) === name)?.handle;
  }

  /** Lets go of all sockets. */
  close(): void {
    for (const { handle } of [...this.#held.values()].flat())
      if (handle !== undefined) this.#sockets.release(handle);
    this.#held.clear();
  }

  #take(owner: string, binding: PlacedBinding): PublishedPort[] {
    const { port, protocol, hostAddresses, hostPortFirst, hostPortLast } = binding;
    let refusal: ClusterError | undefined;
    for (const hostPort of candidatePorts(binding, this.#ephemeral, this.#lastGiven)) {
      const wanted = hostAddresses.map((one) => ({ port, protocol, hostAddress: one, hostPort }));
      refusal = this.#tryHoldAll(owner, wanted);
      if (refusal !== undefined) continue;
      if (hostPortLast === 0) this.#lastGiven = hostPort;
      return wanted;
    }
    if (refusal !== undefined && hostPortLast > 0 && hostPortFirst === hostPortLast) throw refusal;
    const range = hostPortLast === 0 ? "" : `:${hostPortFirst}-${hostPortLast}`;
    const [address = ANY_ADDRESS] = hostAddresses;
    throw taken(`Bind for ${address}${range} failed: all ports are allocated`);
  }

  /** @returns why one of the ports cannot be had; undefined: the owner has them all now. */
  #tryHoldAll(owner: string, ports: readonly HostPort[]): ClusterError | undefined {
    const held: HostPort[] = [];
    for (const port of ports) {
      const refusal = this.#tryHold(owner, port);
      if (refusal === undefined) held.push(port);
      else {
        for (const one of held) this.#dropPort(one);
        return refusal;
      }
    }
    return undefined;
  }

  #dropPort(port: HostPort): void {
    const held = this.#held.get(keyOf(port))?.find((one) => one.port === port);
    if (held !== undefined) this.#drop(held);
  }

  /** @returns why the port cannot be had; undefined: the owner has it now. */
  #tryHold(owner: string, port: HostPort): ClusterError | undefined {
    if (this.#held.get(keyOf(port))?.some((one) => clashes(one.port, port)))
      return taken(`Bind for ${bareText(port)} failed: port is already allocated`);
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

/** "0.0.0.0:8080", ":::8080": Docker's errors have it so. */
function bareText({ hostAddress, hostPort }: HostPort): string {
  return `${hostAddress}:${hostPort}`;
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
