import { ClusterError } from "../../../core/errors.ts";
import { formatIp, type IpFamily, parseIp } from "../../../core/ip.ts";
import { LINK_NAME_CHARS_MAX } from "./link-names.ts";

/** What a bridge may be told beside its addresses. Docker's names of options. */
export interface BridgeOptions {
  /** Of its link; empty: ours. */
  readonly linkName: string;
  /** Containers of it reach each other. */
  readonly joins: boolean;
  /** Containers reach the outside under this machine's address. */
  readonly masquerades: boolean;
  readonly mtu: number;
  /** Where ports are published when nobody says; empty: everywhere. */
  readonly hostAddress: string;
  /** Of the containers' interfaces. */
  readonly interfacePrefix: string;
  readonly ipv4: FamilyOptions;
  readonly ipv6: FamilyOptions;
}

/** What is said of one family of addresses. */
export interface FamilyOptions {
  /** The address of this machine that containers have outside; empty: that of the way they take. */
  readonly outsideAddress: string;
  /** All ports of its containers can be reached from everywhere by their own addresses. */
  readonly isOpen: boolean;
}

const Option = {
  Default: "com.docker.network.bridge.default_bridge",
  Name: "com.docker.network.bridge.name",
  Joins: "com.docker.network.bridge.enable_icc",
  Masquerades: "com.docker.network.bridge.enable_ip_masquerade",
  HostAddress: "com.docker.network.bridge.host_binding_ipv4",
  Mtu: "com.docker.network.driver.mtu",
  InterfacePrefix: "com.docker.network.container_iface_prefix",
  GatewayMode: "com.docker.network.bridge.gateway_mode_ipv4",
  GatewayMode6: "com.docker.network.bridge.gateway_mode_ipv6",
  OutsideAddress: "com.docker.network.host_ipv4",
  OutsideAddress6: "com.docker.network.host_ipv6",
} as const;
const { Default: _, ...OfAny } = Option;
const KNOWN: readonly string[] = Object.values(OfAny);
const OF_ALL: readonly string[] = [Option.Mtu, Option.InterfacePrefix];
/** Options of Docker's own; others are notes that somebody left there. */
const DOCKERS = "com.docker.network.";
const OPEN_MODE = "nat-unprotected";
const MTU_DEFAULT = 1500;
/** The least that carries IPv4, and IPv6. Source: RFC 791, RFC 8200. */
const MTU_MIN = 68;
const MTU_MIN_IPV6 = 1280;
const MTU_MAX = 65_535;
const LINK_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const PREFIX = /^[a-zA-Z][a-zA-Z0-9_-]*$/;
const PREFIX_CHARS_MAX = LINK_NAME_CHARS_MAX - 3;
/** Source: Go, strconv.ParseBool. */
const TRUE = ["1", "t", "T", "TRUE", "true", "True"];
const FALSE = ["0", "f", "F", "FALSE", "false", "False"];

/** @throws {ClusterError} InvalidArgument for values that are none, and for options of Docker's that we do not have. */
export function readBridgeOptions(
  options: Readonly<Record<string, string>>,
  { ipv6 }: { readonly ipv6: boolean } = { ipv6: false },
): BridgeOptions {
  for (const name of Object.keys(options))
    if (name.startsWith(DOCKERS) && !KNOWN.includes(name))
      throw invalid(`the network option ${name.slice(0, 100)} is not supported: leave it out`);
  const linkName = options[Option.Name] ?? "";
  if (linkName !== "" && (!LINK_NAME.test(linkName) || linkName.length > LINK_NAME_CHARS_MAX))
    throw invalid(`invalid bridge name ${JSON.stringify(linkName.slice(0, 40))}`);
  const interfacePrefix = options[Option.InterfacePrefix] ?? "eth";
  if (!PREFIX.test(interfacePrefix) || interfacePrefix.length > PREFIX_CHARS_MAX)
    throw invalid(`invalid interface prefix ${JSON.stringify(interfacePrefix.slice(0, 40))}`);
  const hostAddress = options[Option.HostAddress] ?? "";
  if (!/^(?:(?:\d{1,3}\.){3}\d{1,3})?$/.test(hostAddress))
    throw invalid(`invalid host binding address ${JSON.stringify(hostAddress.slice(0, 40))}`);
  return {
    linkName,
    joins: readBoolean(options, Option.Joins),
    masquerades: readBoolean(options, Option.Masquerades),
    mtu: readMtu(options, ipv6 ? MTU_MIN_IPV6 : MTU_MIN),
    hostAddress,
    interfacePrefix,
    ipv4: {
      outsideAddress: readOutside(options, Option.OutsideAddress, 4),
      isOpen: readIsOpen(options, Option.GatewayMode),
    },
    ipv6: {
      outsideAddress: readOutside(options, Option.OutsideAddress6, 6),
      isOpen: readIsOpen(options, Option.GatewayMode6),
    },
  };
}

/** What the default network is told, though nobody says it: clients look there for the name of its link. */
export function defaultBridgeOptions(linkName: string): Readonly<Record<string, string>> {
  return {
    [Option.Default]: "true",
    [Option.Joins]: "true",
    [Option.Masquerades]: "true",
    [Option.HostAddress]: "0.0.0.0",
    [Option.Name]: linkName,
    [Option.Mtu]: `${MTU_DEFAULT}`,
  };
}

/** What of the options changes nothing in a bridge, or in whatever else has no option but `others` and those of all. */
export function unknownOptions(
  options: Readonly<Record<string, string>>,
  others?: readonly string[],
): string[] {
  const known = others === undefined ? KNOWN : [...OF_ALL, ...others];
  return Object.keys(options).filter((name) => !known.includes(name));
}

/** Ports are published by translation in both modes. */
function readIsOpen(options: Readonly<Record<string, string>>, name: string): boolean {
  const mode = options[name] ?? "";
  if (["", "nat", OPEN_MODE].includes(mode)) return mode === OPEN_MODE;
  const shown = mode.slice(0, 40);
  throw invalid(`the network option ${name}=${shown} is not supported: use nat or ${OPEN_MODE}`);
}

function readOutside(
  options: Readonly<Record<string, string>>,
  name: string,
  family: IpFamily,
): string {
  const text = options[name] ?? "";
  const ip = text === "" ? undefined : parseIp(text);
  if (text !== "" && ip?.family !== family)
    throw invalid(`invalid IPv${family} address of option ${name}: ${text.slice(0, 40)}`);
  return ip === undefined ? "" : formatIp(ip);
}

/** On unless it is said to be off. */
function readBoolean(options: Readonly<Record<string, string>>, name: string): boolean {
  const value = options[name] ?? "";
  if (value === "" || TRUE.includes(value)) return true;
  if (FALSE.includes(value)) return false;
  const shown = value.slice(0, 40);
  throw invalid(
    `failed to parse ${name} value: ${shown} (strconv.ParseBool: parsing ${JSON.stringify(shown)}: invalid syntax)`,
  );
}

export function readMtu(options: Readonly<Record<string, string>>, least = MTU_MIN): number {
  const value = options[Option.Mtu] ?? "";
  if (value === "" || value === "0") return MTU_DEFAULT;
  const mtu = Number(value);
  if (/^\d{1,5}$/.test(value) && mtu >= least && mtu <= MTU_MAX) return mtu;
  throw invalid(`invalid MTU number: ${value.slice(0, 40)} (must be ${least} to ${MTU_MAX})`);
}

function invalid(message: string): ClusterError {
  return new ClusterError("InvalidArgument", message);
}
