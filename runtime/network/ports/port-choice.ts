import type { ContainerPort, PortBinding, PortProtocol, PortSettings } from "./types.ts";

/** Which ports of the host a container gets. Pure. */

export const PORT_MAX = 65_535;

/** What the machine gives away to whoever asks for any port. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Linux's own, where /proc/sys/net/ipv4/ip_local_port_range does not say. */
export const EPHEMERAL_PORTS: PortRange = { first: 32_768, last: 60_999 };

/** The kernel's setting of the range: "32768\t60999". What is not one gives the default. */
export function parsePortRange(text: string): PortRange {
  const [first = 0, last = 0] = text.trim().split(/\s+/).map(Number);
  const isRange = first >= 1 && last >= first && last <= PORT_MAX;
  return isRange ? { first, last } : EPHEMERAL_PORTS;
}

/**
 * What a container asks for, in the order in which it is to be served: who wants one port alone must not find it given to
 * one who wants any.
 *
 * @param imagePorts exposed by its image.
 */
export function wantedBindings(
  { bindings, exposed, publishAll }: PortSettings,
  imagePorts: readonly ContainerPort[],
): PortBinding[] {
  const isBound = (port: ContainerPort) => bindings.some((one) => isSamePort(one, port));
  const rest = publishAll
    ? uniquePorts([...exposed, ...imagePorts]).filter((p) => !isBound(p))
    : [];
  const any = { hostAddress: "", hostPortFirst: 0, hostPortLast: 0 };
  return [...bindings, ...rest.map((port) => ({ ...port, ...any }))]
    .map((binding, index) => ({ binding, index }))
    .sort((a, b) => freedom(a.binding) - freedom(b.binding) || a.index - b.index)
    .map(({ binding }) => binding);
}

/** Ports as images name them, "80/tcp" or "80"; what is none is left out. */
export function parsePorts(texts: readonly string[]): ContainerPort[] {
  return texts.flatMap((text) => {
    const [, digits = "", protocol = "tcp"] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(text) ?? [];
    const port = Number(digits);
    return port >= 1 && port <= PORT_MAX ? [{ port, protocol: protocol as PortProtocol }] : [];
  });
}

/** Each port once, by number, then protocol. */
export function uniquePorts(ports: readonly ContainerPort[]): ContainerPort[] {
  const byName = new Map(
    ports.map(({ port, protocol }) => [`${port}/${protocol}`, { port, protocol }]),
  );
  return [...byName.values()].sort(byPort);
}

export function byPort(a: ContainerPort, b: ContainerPort): number {
  return a.port - b.port || a.protocol.localeCompare(b.protocol);
}

/**
 * The ports to try for a binding, in order.
 *
 * @param after the one given last where any would do: one that was given back is not given to somebody else at once.
 */
export function* candidatePorts(
  { hostPortFirst, hostPortLast }: Pick<PortBinding, "hostPortFirst" | "hostPortLast">,
  ephemeral: PortRange,
  after: number,
): Generator<number> {
  const isAny = hostPortLast === 0;
  const first = isAny ? ephemeral.first : hostPortFirst;
  const count = (isAny ? ephemeral.last : hostPortLast) - first + 1;
  const start = isAny && after >= first && after < ephemeral.last ? after + 1 - first : 0;
  for (let step = 0; step < count; step++) yield first + ((start + step) % count);
}

function isSamePort(a: ContainerPort, b: ContainerPort): boolean {
  return a.port === b.port && a.protocol === b.protocol;
}

/** How many ports would do. */
function freedom({ hostPortFirst, hostPortLast }: PortBinding): number {
  return hostPortLast === 0 ? Number.MAX_SAFE_INTEGER : hostPortLast - hostPortFirst;
}
