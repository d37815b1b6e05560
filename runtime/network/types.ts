import type { DnsPorts } from "./plan/dns-rules.ts";
import type { NetworkCreation } from "./plan/new-network.ts";

/** Networks of this machine alone and what containers have of them: the runtime's own words. */

/** The network of containers that name none. Docker's name. */
export const DEFAULT_NETWORK = "bridge";

/** `host` and `null` are only names for what containers can do without a network of their own. */
export type NetworkDriver = "bridge" | "macvlan" | "ipvlan" | "host" | "null";

/** The addresses of a network. */
export interface Pool {
  /** "172.26.0.0/16". */
  readonly subnet: string;
  /** The containers' way out; on a bridge its own address. */
  readonly gateway: string;
  /** The part of the subnet that containers get addresses of; empty: all of it. */
  readonly ipRange: string;
  /** Addresses no container gets, by the names somebody gave them. */
  readonly reserved: Readonly<Record<string, string>>;
  /** Somebody asked for this subnet, so that an address in it can be relied on. */
  readonly isChosen: boolean;
}

/** A network of this machine that containers attach to. On disk, below the data root. */
export interface LocalNetwork {
  /** 64 hexadecimal characters. */
  readonly id: string;
  /** Unique on this machine. */
  readonly name: string;
  readonly createdAtMs: number;
  readonly driver: NetworkDriver;
  /** Undefined of `host` and `null`. */
  readonly ipv4: Pool | undefined;
  readonly ipv6: Pool | undefined;
  /** Nobody in it reaches anything outside of it. */
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Of the driver, as they were given. */
  readonly options: Readonly<Record<string, string>>;
  /** The link of this machine that its containers share was made for it, and goes with it. */
  readonly ownsParent?: boolean;
  /** It holds settings for others and is no network itself: nobody attaches. */
  readonly config?: { readonly ipv6: boolean };
  /** The name of the one its settings are from. */
  readonly configFrom?: string;
}

/** What a container asks of one network, from run to run. */
export interface EndpointConfig {
  /** Its name. */
  readonly network: string;
  /** Other names for the container in it. */
  readonly aliases: readonly string[];
  /** `name:alias` of others in it, for this container alone. */
  readonly links: readonly string[];
  /** Empty: any. */
  readonly ipv4: string;
  readonly ipv6: string;
  /** More addresses of its interface, that no network gives. */
  readonly linkLocal?: readonly string[];
  readonly mac: string;
  /** The greatest is the default gateway. */
  readonly gatewayPriority: number;
  /** As they were given; see plan/endpoint-options.ts for those that change something. */
  readonly driverOptions?: Readonly<Record<string, string>>;
}

/** What a container that asks for nothing in particular has. */
export function plainEndpoint(network: string): EndpointConfig {
  const nothing = { aliases: [], links: [], ipv4: "", ipv6: "", mac: "" };
  return { network, ...nothing, gatewayPriority: 0 };
}

/** A container's interface in one network, for one run. */
export interface Endpoint {
  /** 64 hexadecimal characters. */
  readonly id: string;
  readonly networkId: string;
  readonly networkName: string;
  readonly address: string;
  readonly prefixLength: number;
  /** Empty: no way out. */
  readonly gateway: string;
  /** Undefined where the network has no IPv6. */
  readonly ipv6: EndpointIpv6 | undefined;
  readonly linkLocal?: readonly string[];
  /** Empty: that of the link it shares. */
  readonly mac: string;
  /** The way out needs no gateway: everything is reached by the link itself. */
  readonly isRouted?: boolean;
  /** Name of the bridge's end; empty where there is none. */
  readonly link: string;
  /** Name of the container's end: `eth0`. */
  readonly interface: string;
  readonly aliases: readonly string[];
  readonly links: readonly string[];
  readonly gatewayPriority: number;
  /** Kernel settings of the interface: "net/ipv4/conf/eth0/log_martians" and the value. */
  readonly sysctls?: Readonly<Record<string, string>>;
}

/** All addresses of an endpoint, without prefix length. */
export function addressesOf({ address, ipv6 }: Endpoint): string[] {
  return ipv6 === undefined ? [address] : [address, ipv6.address];
}

export interface EndpointIpv6 {
  readonly address: string;
  readonly prefixLength: number;
  /** Empty: no way out. */
  readonly gateway: string;
}

/** All that one run of a container has of networks. On disk, below the exec root: a power cut ends both. */
export interface Attachment {
  readonly containerId: string;
  /** The container's, at the moment. */
  readonly name: string;
  readonly hostname: string;
  /** In the order of its interfaces. */
  readonly endpoints: readonly Endpoint[];
  /** Name servers the container asked for; none: this machine's. */
  readonly resolvers: readonly string[];
  /** Where its name server listens; undefined: it has none. */
  readonly dnsPorts?: DnsPorts | undefined;
}

/** What a run of a container asks of networks. */
export interface AttachRequest {
  readonly name: string;
  readonly hostname: string;
  readonly resolvers: readonly string[];
  /** The first is `eth0`. */
  readonly endpoints: readonly EndpointConfig[];
}

/** This machine's networks as whoever shows them needs them. */
export interface LocalNetworkView {
  /** The one of a container that runs; undefined when it has none. */
  findAttachment(containerId: string): Attachment | undefined;
  /** The file of a container's network namespace. */
  namespacePath(containerId: string): string;
  list(): readonly LocalNetwork[];
  /** The link of a network's bridge. */
  bridgeLink(network: LocalNetwork): string;
  attachments(): readonly Attachment[];
}

/** The same for whoever changes them. */
export interface MachineNetworks extends LocalNetworkView {
  /** @throws `InvalidArgument`, `AlreadyExists`, `PermissionDenied` (addresses overlap). Docker's words. */
  create(creation: NetworkCreation): Promise<LocalNetwork>;
  /** @throws `NotFound`; `PermissionDenied` when it is predefined or in use. Docker's words. */
  remove(id: string): Promise<void>;
}
