import type { SandboxRecord } from "../../proto/gen/data_plane_state.ts";
import type { DnsPorts } from "../../runtime/network/plan/dns-rules.ts";
import type { PlacedSandbox } from "./plan/sandbox-links.ts";

/** A sandbox as the next daemon finds it, and back. Pure. */

export function sandboxRecord(
  { spec, gatewayAddress }: PlacedSandbox,
  ports: DnsPorts,
): SandboxRecord {
  const { nameservers, search, options } = spec.dns;
  return {
    id: spec.id,
    hostname: spec.hostname,
    attachments: [...spec.attachments],
    hostPorts: [...spec.hostPorts],
    dns: { nameservers: [...nameservers], search: [...search], options: [...options] },
    gatewayAddress: gatewayAddress ?? "",
    dnsUdpPort: ports.udp,
    dnsTcpPort: ports.tcp,
  };
}

export function recordedSandbox(record: SandboxRecord): {
  readonly placed: PlacedSandbox;
  readonly ports: DnsPorts;
} {
  const { id, hostname, attachments, hostPorts, gatewayAddress } = record;
  const dns = record.dns ?? { nameservers: [], search: [], options: [] };
  return {
    placed: {
      spec: { id, hostname, attachments, hostPorts, dns },
      gatewayAddress: gatewayAddress === "" ? undefined : gatewayAddress,
    },
    ports: { udp: record.dnsUdpPort, tcp: record.dnsTcpPort },
  };
}
