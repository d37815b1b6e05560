import ipaddr from "ipaddr.js";
import { ClusterError } from "../../../core/errors.ts";

/** One way to reach a registry. */
export interface Endpoint {
  /** Without a slash at the end: `https://registry-1.docker.io`. */
  readonly baseUrl: string;
  /** Whether TLS may be missing or unverified, for passwords too. */
  readonly insecure: boolean;
  /** Stands before the registry for pulls; another may have what it lacks. */
  readonly mirror: boolean;
}

/** Which registries may be spoken to without verified TLS, and what stands before docker.io. */
export interface EndpointOptions {
  /** `host`, `host:port` or CIDR. */
  readonly insecureRegistries: readonly string[];
  /** Base URLs. */
  readonly mirrors: readonly string[];
}

/** The registry of names without one. */
export const DOCKER_HUB = "docker.io";
const DOCKER_HUB_HOST = "registry-1.docker.io";

/**
 * The ways to reach the registry `domain`, best first.
 *
 * Insecure ones (loopback, and those the operator names) are tried with TLS, any certificate, and then without.
 *
 * Source: moby, registry/service_v2.go; registry/config.go for what is insecure.
 */
export function endpointsOf(domain: string, options: EndpointOptions): readonly Endpoint[] {
  const insecure = isInsecure(domain, options.insecureRegistries);
  const host = domain === DOCKER_HUB ? DOCKER_HUB_HOST : domain;
  const own: Endpoint = { baseUrl: `https://${host}`, insecure, mirror: false };
  const plain = insecure ? [{ ...own, baseUrl: `http://${host}` }] : [];
  const mirrors = domain === DOCKER_HUB ? options.mirrors.map((url) => mirrorOf(url, options)) : [];
  return [...mirrors, own, ...plain];
}

/** Host and port of a registry, or a CIDR that holds its address. Names are not resolved: DNS must not decide about TLS. */
function isInsecure(domain: string, insecureRegistries: readonly string[]): boolean {
  const host = hostOf(domain);
  if (host === "localhost" || isLoopback(host)) return true;
  return insecureRegistries.some((item) =>
    item.includes("/") ? contains(item, host) : item === domain || item === host,
  );
}

/** @throws {ClusterError} InvalidArgument: the operator wrote it. */
function mirrorOf(url: string, options: EndpointOptions): Endpoint {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol))
    throw new ClusterError("InvalidArgument", `registry mirror ${url} is not an http or https URL`);
  const insecure =
    parsed.protocol === "http:" || isInsecure(parsed.host, options.insecureRegistries);
  return { baseUrl: url.replace(/\/+$/, ""), insecure, mirror: true };
}

/** Without the port and without the brackets of IPv6. */
function hostOf(domain: string): string {
  return domain.replace(/:[0-9]+$/, "").replace(/^\[|\]$/g, "");
}

function isLoopback(host: string): boolean {
  return ipaddr.isValid(host) && ipaddr.process(host).range() === "loopback";
}

function contains(cidr: string, host: string): boolean {
  if (!ipaddr.isValidCIDR(cidr) || !ipaddr.isValid(host)) return false;
  const [network, bits] = ipaddr.parseCIDR(cidr);
  const address = ipaddr.process(host);
  return address.kind() === network.kind() && address.match(network, bits);
}
