import type { NetworkAttachment, PortConfig } from "../../proto/gen/objects.ts";

/** What a container's network is asked to be. */
export interface SandboxSpec {
  /** Unique on this node and a safe file name; the task's or the container's id. */
  readonly id: string;
  /** Name the container knows itself by. */
  readonly hostname: string;
  /** In the order of its interfaces; none: only the way out (local bridge). The ingress network is named like any other. */
  readonly attachments: readonly NetworkAttachment[];
  /** Published ports in host mode: this node's port leads to this container and no other. */
  readonly hostPorts: readonly PortConfig[];
  /** From the spec's DnsConfig; empty nameservers: the host's. */
  readonly dns: {
    readonly nameservers: readonly string[];
    readonly search: readonly string[];
    readonly options: readonly string[];
  };
}

/** A network namespace ready for a container to be started in. */
export interface Sandbox {
  readonly id: string;
  /** Path of the bind mount of the namespace; for `NetworkMode.namespace`. */
  readonly path: string;
  /** The lines of /etc/resolv.conf. */
  readonly resolvConf: string;
  /** Own addresses on swarm networks without prefix length, for /etc/hosts. */
  readonly addresses: readonly string[];
}

/** What this node is to the others; may change when a manager is first met. */
export interface NodeFacts {
  /** Empty until the node has joined. */
  readonly nodeId: string;
  /** Own IPv4 address that other nodes send VXLAN packets to. */
  readonly dataAddress: string;
  /** UDP port of VXLAN, the same on every node. */
  readonly dataPathPort: number;
}
