/** Networks of this machine alone, as the API needs them. */
export interface LocalNetworkBackend {
  listNetworks(): readonly LocalNetworkFacts[];
  /** @throws `InvalidArgument`, `AlreadyExists`, `PermissionDenied`, `NotFound` (driver). Docker's words. */
  createNetwork(
    creation: LocalNetworkCreation,
  ): Promise<{ readonly id: string; readonly warning: string }>;
  /** By its whole id. @throws `NotFound`; `PermissionDenied` when it is predefined or in use. Docker's words. */
  removeNetwork(id: string): Promise<void>;
  /**
   * Puts a container, by its whole id, into the network that `settings` names; at once when it runs.
   *
   * @throws `NotFound`, `InvalidArgument`, `PermissionDenied` with Docker's words.
   */
  connectContainer(containerId: string, settings: EndpointSettings): Promise<void>;
  /** Takes a container out of a network, by its name. @throws as `connectContainer`. */
  disconnectContainer(containerId: string, network: string): Promise<void>;
}

export interface LocalNetworkCreation {
  readonly name: string;
  /** Empty: bridge. */
  readonly driver: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly ipv6: boolean;
  readonly pools: readonly {
    readonly subnet: string;
    readonly gateway: string;
    readonly ipRange: string;
    readonly reserved: Readonly<Record<string, string>>;
  }[];
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  /** It holds settings for others and is no network itself. */
  readonly configOnly: boolean;
  /** The name of a network that holds its settings; empty: it has its own. */
  readonly configFrom: string;
}

export interface AddressPool {
  readonly subnet: string;
  readonly gateway: string;
  /** Empty: all of the subnet. */
  readonly ipRange: string;
  readonly reserved: Readonly<Record<string, string>>;
  /** Somebody asked for it. */
  readonly isChosen: boolean;
}

export interface LocalNetworkFacts {
  readonly id: string;
  readonly name: string;
  readonly createdAtMs: number;
  readonly driver: string;
  readonly ipv4: AddressPool | undefined;
  readonly ipv6: AddressPool | undefined;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly hasIpv6: boolean;
  readonly configOnly: boolean;
  readonly configFrom: string;
  /** Of containers that run. */
  readonly endpoints: readonly {
    readonly containerId: string;
    readonly containerName: string;
    readonly id: string;
    readonly mac: string;
    /** With prefix length; empty: none. */
    readonly ipv4: string;
    readonly ipv6: string;
  }[];
}

/** What a container asks of one network. */
export interface EndpointSettings {
  /** Its name. */
  readonly network: string;
  readonly aliases: readonly string[];
  /** `name:alias` of other containers. */
  readonly links: readonly string[];
  /** Empty: any. */
  readonly ipv4: string;
  readonly ipv6: string;
  /** More addresses of its interface, that no network gives. */
  readonly linkLocal?: readonly string[];
  readonly mac: string;
  /** The greatest is the default gateway. */
  readonly gatewayPriority: number;
  /** Of the driver, as they were given. */
  readonly driverOptions?: Readonly<Record<string, string>>;
}
