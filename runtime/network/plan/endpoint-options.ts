import { ClusterError } from "../../../core/errors.ts";
import { LINK_NAME_CHARS_MAX } from "./link-names.ts";

/** What a container may tell a network's driver of its own interface. Docker's names of options; others change nothing. */
export interface EndpointOptions {
  /** Empty: the next that is free. */
  readonly interfaceName: string;
  /** Kernel settings, with `IFNAME` in place of the interface. */
  readonly sysctls: readonly { readonly name: string; readonly value: string }[];
}

const Option = {
  InterfaceName: "com.docker.network.endpoint.ifname",
  Sysctls: "com.docker.network.endpoint.sysctls",
} as const;
const INTERFACE_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const LOOPBACK = "lo";
/** Only what is an interface's own: the rest of the namespace has `--sysctl`. The command line sends small letters. */
const SYSCTL =
  /^(net\.(?:ipv4|ipv6|mpls)\.(?:conf|neigh)\.(?:IFNAME|ifname)\.[a-z0-9_]+)=([^=\s]+)$/;
const SHOWN_MAX = 100;

/** @throws {ClusterError} InvalidArgument for values that are none. */
export function readEndpointOptions(
  options: Readonly<Record<string, string>> = {},
): EndpointOptions {
  const interfaceName = options[Option.InterfaceName] ?? "";
  const isName =
    INTERFACE_NAME.test(interfaceName) &&
    interfaceName.length <= LINK_NAME_CHARS_MAX &&
    interfaceName !== LOOPBACK;
  if (interfaceName !== "" && !isName)
    throw invalid(`invalid interface name ${shown(interfaceName)}: use 1 to 15 letters and digits`);
  const sysctls = (options[Option.Sysctls] ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map(readSysctl);
  return { interfaceName, sysctls };
}

/** Kernel settings of an interface by their path, as an endpoint has them. */
export function sysctlsOf(
  { sysctls }: EndpointOptions,
  interfaceName: string,
): Readonly<Record<string, string>> {
  const pathOf = (name: string) =>
    name.replaceAll(".", "/").replace(/ifname/i, () => interfaceName);
  return Object.fromEntries(sysctls.map(({ name, value }) => [pathOf(name), value]));
}

function readSysctl(text: string): { readonly name: string; readonly value: string } {
  const [, name, value] = SYSCTL.exec(text) ?? [];
  if (name !== undefined && value !== undefined) return { name, value };
  throw invalid(
    `invalid sysctl ${shown(text)} of an interface: use net.ipv4.conf.IFNAME.name=value, or ipv6, mpls, neigh`,
  );
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, SHOWN_MAX));
}

function invalid(message: string): ClusterError {
  return new ClusterError("InvalidArgument", message);
}
