/* The parts of Docker's JSON that the CLI reads. Absent fields are absent: the daemon omits what is empty. */

export interface WireObject {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly CreatedAt: string;
  readonly UpdatedAt: string;
}

export interface WireService extends WireObject {
  readonly Spec: WireServiceSpec;
  readonly PreviousSpec?: WireServiceSpec;
  readonly Endpoint?: {
    readonly Ports?: readonly WirePort[];
    readonly VirtualIPs?: readonly { NetworkID: string; Addr: string }[];
  };
  readonly UpdateStatus?: { readonly State?: string; readonly Message?: string };
  readonly ServiceStatus?: { readonly RunningTasks: number; readonly DesiredTasks: number };
}

/** Written by create and update, so its fields can change. */
export interface WireServiceSpec {
  Name: string;
  Labels?: Record<string, string>;
  TaskTemplate: {
    ContainerSpec: Record<string, unknown> & { Image: string };
    ForceUpdate?: number;
  } & Record<string, unknown>;
  Mode: { Replicated?: { Replicas: number }; Global?: object };
  UpdateConfig?: Record<string, unknown>;
  RollbackConfig?: Record<string, unknown>;
  EndpointSpec?: { Mode?: string; Ports?: WirePort[] };
}

export interface WirePort {
  readonly Name?: string;
  readonly Protocol: string;
  readonly TargetPort: number;
  readonly PublishedPort?: number;
  readonly PublishMode: string;
}

export interface WireTask extends WireObject {
  readonly ServiceID: string;
  readonly Slot?: number;
  readonly NodeID?: string;
  readonly DesiredState: string;
  readonly Spec: { readonly ContainerSpec?: { readonly Image?: string } };
  readonly Status: {
    readonly Timestamp: string;
    readonly State: string;
    readonly Message?: string;
    readonly Err?: string;
    readonly ContainerStatus?: { readonly ContainerID: string; readonly PID: number };
    readonly PortStatus?: { readonly Ports?: readonly WirePort[] };
  };
}

export interface WireNode extends WireObject {
  readonly Spec: {
    Name?: string;
    Labels?: Record<string, string>;
    Role: string;
    Availability: string;
  };
  readonly Description?: {
    readonly Hostname?: string;
    readonly Platform?: { readonly Architecture?: string; readonly OS?: string };
    readonly Resources?: { readonly NanoCPUs?: number; readonly MemoryBytes?: number };
    readonly Engine?: { readonly EngineVersion?: string; readonly Labels?: Record<string, string> };
    readonly TLSInfo?: WireTls;
  };
  readonly Status: { readonly State: string; readonly Message?: string; readonly Addr?: string };
  readonly ManagerStatus?: {
    readonly Leader?: boolean;
    readonly Reachability: string;
    readonly Addr: string;
  };
}

export interface WireNetwork {
  readonly Id: string;
  readonly Name: string;
  readonly Driver: string;
  readonly Scope: string;
  readonly Created: string;
  readonly EnableIPv4?: boolean;
  readonly EnableIPv6: boolean;
  readonly Internal: boolean;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly IPAM?: {
    readonly Config?: readonly { readonly Subnet?: string; readonly Gateway?: string }[];
  };
}

/** A config, or a secret, which has no data. */
export interface WirePayload extends WireObject {
  readonly Spec: {
    readonly Name: string;
    readonly Labels?: Readonly<Record<string, string>>;
    readonly Data?: string;
  };
}

export interface WireSwarm extends WireObject {
  readonly JoinTokens: { readonly Worker: string; readonly Manager: string };
  readonly Spec: Record<string, unknown> & {
    readonly CAConfig?: { readonly ForceRotate?: number; readonly NodeCertExpiry?: number };
  };
  readonly TLSInfo?: WireTls;
  readonly RootRotationInProgress?: boolean;
}

export interface WireTls {
  readonly TrustRoot?: string;
  readonly CertIssuerSubject?: string;
  readonly CertIssuerPublicKey?: string;
}

/** When a node is given up, in nanoseconds; the second and third are Muster's own. */
export interface WireTimes {
  readonly HeartbeatPeriod: number;
  readonly DownAfter?: number;
  readonly RestartGrace?: number;
}

export interface WireInfo extends Record<string, unknown> {
  readonly Name: string;
  readonly Swarm: {
    readonly NodeID: string;
    readonly NodeAddr: string;
    readonly LocalNodeState: string;
    readonly ControlAvailable: boolean;
    readonly RemoteManagers?: readonly { readonly NodeID: string; readonly Addr: string }[] | null;
    readonly Error?: string;
    readonly Nodes?: number;
    readonly Managers?: number;
    readonly Cluster?: {
      readonly ID: string;
      readonly TLSInfo?: WireTls;
      readonly RootRotationInProgress?: boolean;
      readonly Spec?: {
        readonly Dispatcher?: WireTimes;
        readonly EncryptionConfig?: { readonly AutoLockManagers: boolean };
        readonly CAConfig?: { readonly NodeCertExpiry?: number };
      };
    };
  };
}
