/** Networks of this machine alone and what containers have of them: the runtime's own words. */

/** The network of containers that name none. Docker's name. */
export const DEFAULT_NETWORK = "bridge";

/** A bridge of this machine that containers attach to. On disk, below the data root. */
export interface LocalNetwork {
  /** 64 hexadecimal characters. */
  readonly id: string;
  /** Unique on this machine. */
  readonly name: string;
  readonly createdAtMs: number;
  /** "172.26.0.0/16". */
  readonly subnet: string;
  /** The bridge's own address: the containers' way out. */
  readonly gateway: string;
}

/** A container's interface in one network, for one run. */
export interface Endpoint {
  /** 64 hexadecimal characters. */
  readonly id: string;
  readonly networkId: string;
  readonly networkName: string;
  readonly address: string;
  readonly prefixLength: number;
  readonly gateway: string;
  readonly mac: string;
  /** Name of the bridge's end. */
  readonly link: string;
}

/** All that one run of a container has of networks. On disk, below the exec root: a power cut ends both. */
export interface Attachment {
  readonly containerId: string;
  readonly endpoint: Endpoint;
}

/** This machine's networks as whoever shows them needs them. */
export interface LocalNetworkView {
  /** The one of a container that runs; undefined when it has none. */
  findAttachment(containerId: string): Attachment | undefined;
  /** The file of a container's network namespace. */
  namespacePath(containerId: string): string;
}
