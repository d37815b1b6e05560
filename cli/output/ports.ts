/** As much of a published or exposed port as is shown. */
export interface WirePort {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

interface Range {
  readonly ip: string;
  readonly type: string;
  readonly first: number;
  last: number;
}

/**
 * `80/tcp, 0.0.0.0:8000-8002->8000-8002/tcp, [::]:8080->80/tcp`: ports that are the same on both sides are drawn together.
 *
 * Source: docker/cli, formatter.DisplayablePorts.
 */
export function portsText(ports: readonly WirePort[]): string {
  const done: string[] = [];
  const open = new Map<string, Range>();
  const moved: string[] = [];
  for (const { IP = "", PrivatePort, PublicPort = 0, Type } of ports.toSorted(compare)) {
    if (IP !== "" && PublicPort !== PrivatePort) {
      moved.push(`${hostPort(IP, String(PublicPort))}->${PrivatePort}/${Type}`);
      continue;
    }
    const key = `${IP}/${Type}`;
    const range = open.get(key);
    if (range !== undefined && PrivatePort === range.last + 1) {
      range.last = PrivatePort;
      continue;
    }
    if (range !== undefined) done.push(rangeText(range));
    open.set(key, { ip: IP, type: Type, first: PrivatePort, last: PrivatePort });
  }
  return [...done, ...[...open.values()].map(rangeText), ...moved].join(", ");
}

/** `0.0.0.0:80`, `[::]:80`. */
export function hostPort(ip: string, port: string): string {
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}

function rangeText({ ip, type, first, last }: Range): string {
  const ports = first === last ? String(first) : `${first}-${last}`;
  return ip === "" ? `${ports}/${type}` : `${hostPort(ip, ports)}->${ports}/${type}`;
}

function compare(a: WirePort, b: WirePort): number {
  const [aIp, bIp] = [a.IP ?? "", b.IP ?? ""];
  if (a.PrivatePort !== b.PrivatePort) return a.PrivatePort - b.PrivatePort;
  if (aIp !== bIp) return aIp < bIp ? -1 : 1;
  if (a.PublicPort !== b.PublicPort) return (a.PublicPort ?? 0) - (b.PublicPort ?? 0);
  return a.Type < b.Type ? -1 : Number(a.Type > b.Type);
}
