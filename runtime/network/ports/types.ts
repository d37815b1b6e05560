/** Ports of the host that lead to containers: the runtime's own words. */

export type PortProtocol = "tcp" | "udp" | "sctp";

/** A port in a container's namespace. */
export interface ContainerPort {
  /** 1 to 65535. */
  readonly port: number;
  readonly protocol: PortProtocol;
}

/** A port of the host that is asked for. */
export interface PortBinding extends ContainerPort {
  /** An address of this machine; empty: every one. */
  readonly hostAddress: string;
  /** Any free one from here… */
  readonly hostPortFirst: number;
  /** …to here; both 0: any the machine gives away. */
  readonly hostPortLast: number;
}

/** What a container is asked to have of ports. */
export interface PortSettings {
  /** Said to be listened to; the image may say more. */
  readonly exposed: readonly ContainerPort[];
  readonly bindings: readonly PortBinding[];
  /** All that are exposed and not bound get a port of the host. */
  readonly publishAll: boolean;
}

/** A port of the host that leads to a container. */
export interface PublishedPort extends ContainerPort {
  /** "0.0.0.0": every one of this machine; "::": every one of IPv6. */
  readonly hostAddress: string;
  readonly hostPort: number;
}

/** An interface of a container in a bridge, for one family of addresses. */
export interface InBridge {
  /** The container's, in this network. */
  readonly address: string;
  /** The link of the bridge it is in, and of its port there. */
  readonly bridge: string;
  readonly link: string;
  /** That bridge's, "172.26.0.0/16". */
  readonly subnet: string;
}

/** All published ports of one run of a container. On disk, below the exec root: a power cut ends both. */
export interface Publication extends InBridge {
  readonly containerId: string;
  /** Undefined where the container has no IPv6. */
  readonly ipv6?: InBridge | undefined;
  readonly ports: readonly PublishedPort[];
}

/** Published ports as whoever shows them needs them. */
export interface PublishedPortView {
  /** Of a container that runs, in the order of its ports; none when it has none. */
  publishedPorts(containerId: string): readonly PublishedPort[];
}
