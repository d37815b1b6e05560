import { ClusterError, errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { PortConfig } from "../../proto/gen/objects.ts";
import { ANY_ADDRESS, type HostPort, hostPortName } from "../../runtime/network/ports/host-port.ts";
import type { HostPorts } from "../../runtime/network/ports/host-ports.ts";
import { portKey, protocolName } from "./plan/host-rules.ts";

const INGRESS = "swarm ingress";

/** Who has which port of this machine: single containers have some too. */
export type PortBook = Pick<HostPorts, "take" | "settle" | "release">;

/** The ports of this node that lead to the swarm, as the book of all its ports has them. */
export class ServedPorts {
  readonly #book: PortBook;
  readonly #log: Log;
  readonly #sandboxes = new Set<string>();
  /** Ports of services that single containers have here. */
  #withheld: ReadonlySet<string> = new Set();

  constructor(book: PortBook, log: Log) {
    this.#book = book;
    this.#log = log;
  }

  /** Takes a sandbox's host ports, all or none. @throws {ClusterError} ResourceExhausted when somebody else has one. */
  take(sandboxId: string, ports: readonly PortConfig[]): void {
    const bindings = ports.filter(isPublished).map((port) => ({
      port: port.targetPort,
      protocol: protocolName(port),
      hostAddresses: [ANY_ADDRESS],
      hostPortFirst: port.publishedPort,
      hostPortLast: port.publishedPort,
    }));
    this.#sandboxes.add(sandboxId);
    try {
      this.#book.take(sandboxId, bindings);
    } catch (error) {
      throw new ClusterError(
        "ResourceExhausted",
        `cannot publish host ports for ${sandboxId}: ${errorMessage(error)}`,
        { cause: error },
      );
    }
  }

  /** The same for one that a former daemon made, and to which its ports lead still. */
  takeBack(sandboxId: string, ports: readonly PortConfig[]): void {
    this.#sandboxes.add(sandboxId);
    this.#book.settle(sandboxId, ports.filter(isPublished).map(toHostPort));
  }

  release(sandboxId: string): void {
    this.#sandboxes.delete(sandboxId);
    this.#book.release(sandboxId);
  }

  /**
   * Takes the ports of services that every node answers on, and gives back those that are no more.
   *
   * @returns keys of those that a single container has: here they lead to it.
   */
  settleIngress(ports: readonly PortConfig[]): ReadonlySet<string> {
    const refused = this.#book.settle(INGRESS, ports.filter(isPublished).map(toHostPort));
    const withheld = new Map(refused.map((port) => [portKey(port.protocol, port.hostPort), port]));
    for (const [key, port] of withheld)
      if (!this.#withheld.has(key))
        this.#log.error("a published port of a service leads to a single container here", {
          port: hostPortName(port),
        });
    this.#withheld = new Set(withheld.keys());
    return this.#withheld;
  }

  /** Gives back all. */
  close(): void {
    for (const id of [...this.#sandboxes]) this.release(id);
    this.#book.settle(INGRESS, []);
  }
}

/** One in host mode for which no port of the host was chosen has none. */
function isPublished({ publishedPort }: PortConfig): boolean {
  return publishedPort > 0;
}

function toHostPort(port: PortConfig): HostPort {
  return {
    protocol: protocolName(port),
    hostAddress: ANY_ADDRESS,
    hostPort: port.publishedPort,
  };
}
