import { isIP } from "node:net";
import type {
  ContainerPort,
  PortBinding,
  PortSettings,
} from "../../backends/container-settings.ts";
import type { ContainerFacts } from "../../backends/containers.ts";
import type { JsonReader } from "../../http/json-reader.ts";
import { invalid } from "./invalid.ts";

/** Docker's ExposedPorts, PortBindings and lists of ports. */

const PORT_MAX = 65_535;
const PROTOCOLS = ["tcp", "udp", "sctp"] as const;

/** @throws {ClusterError} InvalidArgument. Docker's words. */
export function readPorts(config: JsonReader, host: JsonReader): PortSettings {
  const bindings = host.object("PortBindings");
  const bound = host.keys("PortBindings");
  return {
    exposed: unique([...config.keys("ExposedPorts"), ...bound].flatMap(parsePorts)),
    bindings: bound.flatMap((key) => {
      const ports = parsePorts(key);
      return bindings
        .objects(key, readHostPort)
        .filter((one, at, all) => all.findIndex((other) => isSame(one, other)) === at)
        .flatMap((hostPort) => ports.map((port) => ({ ...port, ...hostPort })));
    }),
    publishAll: host.boolean("PublishAllPorts"),
  };
}

/**
 * @param mode as the container names its network.
 * @returns what will not be done.
 * @throws {ClusterError} InvalidArgument. Docker's words.
 */
export function checkPorts(ports: PortSettings, mode: string): string[] {
  const isPublished = ports.publishAll || ports.bindings.length > 0;
  const refuse = (what: string) =>
    invalid(`conflicting options: port ${what} and the container type network mode`);
  if (mode.startsWith("container:") && isPublished) throw refuse("publishing");
  if (mode.startsWith("container:") && ports.exposed.length > 0) throw refuse("exposing");
  if (!isPublished || (mode !== "host" && mode !== "none")) return [];
  return [`Published ports are discarded when using ${mode} network mode`];
}

/** All a container is said to listen to, by itself, its bindings or its image, in the order of their numbers. */
export function exposedPorts({
  settings,
  image,
}: Pick<ContainerFacts, "settings" | "image">): ContainerPort[] {
  return unique([...settings.ports.exposed, ...image.exposedPorts.flatMap(findPorts)]);
}

/** Docker's PortSet: `{"80/tcp": {}}`. */
export function writeExposedPorts(ports: readonly ContainerPort[]): Record<string, object> {
  return Object.fromEntries(ports.map((port) => [nameOf(port), {}]));
}

/** Docker's PortMap of what was asked for. */
export function writePortBindings(bindings: readonly PortBinding[]): Record<string, object[]> {
  return groupByPort(
    bindings.map((binding) => [
      binding,
      { HostIp: binding.hostAddress, HostPort: writeHostPort(binding) },
    ]),
  );
}

/** Docker's PortMap of what there is: exposed ports of a container that runs, and where they lead from. */
export function writePortMap(container: ContainerFacts): Record<string, object[] | null> {
  if (!hasPorts(container)) return {};
  return {
    ...Object.fromEntries(exposedPorts(container).map((port) => [nameOf(port), null])),
    ...groupByPort(
      container.publishedPorts.map((port) => [
        port,
        { HostIp: port.hostAddress, HostPort: String(port.hostPort) },
      ]),
    ),
  };
}

/** Ports as a line of `docker ps` has them. */
export function writePortList(container: ContainerFacts): Record<string, unknown>[] {
  if (!hasPorts(container)) return [];
  const { publishedPorts } = container;
  return exposedPorts(container).flatMap((port) => {
    const own = { PrivatePort: port.port, Type: port.protocol };
    const published = publishedPorts.filter((one) => nameOf(one) === nameOf(port));
    if (published.length === 0) return [own];
    return published.map((one) => ({ IP: one.hostAddress, ...own, PublicPort: one.hostPort }));
  });
}

/** Whether a filter's value means a port: `80`, `80/tcp`, `8000-8080/udp`. */
export function isPortIn(value: string, { port, protocol }: ContainerPort): boolean {
  const [range = "", wanted = "tcp"] = value.split("/");
  const [first = 0, last = first] = range.split("-").map(Number);
  return protocol === wanted && port >= first && port <= last;
}

/** Only while it runs, in networks of its own. */
export function hasPorts({ namespacePath, state }: ContainerFacts): boolean {
  return namespacePath !== "" && state === "running";
}

/** "80", "80/tcp", "80-82/udp". @throws {ClusterError} InvalidArgument. */
function parsePorts(text: string): ContainerPort[] {
  const ports = findPorts(text);
  if (ports.length > 0) return ports;
  throw invalid(`invalid port specification: ${JSON.stringify(text.slice(0, 100))}`);
}

/** The same for what others have written: nothing when it is none. */
function findPorts(text: string): ContainerPort[] {
  const [range = "", word = "tcp", ...more] = text.split("/");
  const protocol = PROTOCOLS.find((known) => known === word.toLowerCase());
  const ports = parseRange(range);
  if (protocol === undefined || ports === undefined || more.length > 0) return [];
  const count = ports.last - ports.first + 1;
  return Array.from({ length: count }, (_, index) => ({ port: ports.first + index, protocol }));
}

function readHostPort(json: JsonReader): Omit<PortBinding, keyof ContainerPort> {
  const hostAddress = json.string("HostIp");
  const hostPort = json.string("HostPort");
  if (hostAddress !== "" && isIP(hostAddress) === 0)
    throw invalid(`invalid IP address: ${JSON.stringify(hostAddress.slice(0, 100))}`);
  if (hostPort === "" || hostPort === "0")
    return { hostAddress, hostPortFirst: 0, hostPortLast: 0 };
  const range = parseRange(hostPort);
  if (range === undefined)
    throw invalid(`invalid port specification: ${JSON.stringify(hostPort.slice(0, 100))}`);
  return { hostAddress, hostPortFirst: range.first, hostPortLast: range.last };
}

/** "80" or "80-82"; undefined when it is none. */
function parseRange(text: string): { readonly first: number; readonly last: number } | undefined {
  const [, start = "", end = start] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const first = Number(start);
  const last = Number(end);
  return first >= 1 && last >= first && last <= PORT_MAX ? { first, last } : undefined;
}

function writeHostPort({ hostPortFirst, hostPortLast }: PortBinding): string {
  if (hostPortLast === 0) return "";
  return hostPortFirst === hostPortLast ? `${hostPortFirst}` : `${hostPortFirst}-${hostPortLast}`;
}

function nameOf({ port, protocol }: ContainerPort): string {
  return `${port}/${protocol}`;
}

function unique(ports: readonly ContainerPort[]): ContainerPort[] {
  const byName = new Map(ports.map((port) => [nameOf(port), port]));
  return [...byName.values()].sort(
    (a, b) => a.port - b.port || a.protocol.localeCompare(b.protocol),
  );
}

function groupByPort(
  entries: readonly (readonly [ContainerPort, object])[],
): Record<string, object[]> {
  const groups: Record<string, object[]> = {};
  for (const [port, written] of entries) {
    const name = nameOf(port);
    groups[name] = [...(groups[name] ?? []), written];
  }
  return groups;
}

function isSame(
  a: Omit<PortBinding, keyof ContainerPort>,
  b: Omit<PortBinding, keyof ContainerPort>,
): boolean {
  return (
    a.hostAddress === b.hostAddress &&
    a.hostPortFirst === b.hostPortFirst &&
    a.hostPortLast === b.hostPortLast
  );
}
