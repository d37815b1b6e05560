import { ClusterError } from "../../core/errors.ts";

/** The lines every container's /etc/hosts begins with. Source: moby, libnetwork/etchosts. */
const STANDARD_LINES = [
  "127.0.0.1\tlocalhost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::0\tip6-localnet",
  "ff00::0\tip6-mcastprefix",
  "ff02::1\tip6-allnodes",
  "ff02::2\tip6-allrouters",
];

/** What a container is called in its own /etc/hosts, the name with its domain first. Source: moby, libnetwork/sandbox_dns_unix.go. */
export function namesOf(hostname: string, domainname: string): string {
  return domainname === "" ? hostname : `${hostname}.${domainname} ${hostname}`;
}

/** The text of a container's /etc/hosts; the asked-for lines come before its own addresses. */
export function planHosts(
  names: string,
  addresses: readonly string[],
  extraLines: readonly string[],
): string {
  const own = addresses.map((address) => `${address}\t${names}`);
  return `${[...STANDARD_LINES, ...extraLines, ...own].join("\n")}\n`;
}

/** The text with a line for each address more. */
export function withHosts(text: string, names: string, addresses: readonly string[]): string {
  const start = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  return start + addresses.map((address) => `${address}\t${names}\n`).join("");
}

/** The text without the lines of these addresses. */
export function withoutHosts(text: string, addresses: readonly string[]): string {
  const gone = new Set(addresses);
  const lines = text.split("\n").filter((line) => !gone.has(line.split(/\s/, 1)[0] ?? ""));
  return lines.join("\n");
}

/** The text with another address in the lines that begin with a name. */
export function withMovedName(text: string, name: string, address: string): string {
  return text
    .split("\n")
    .map((line) => {
      const [, names = ""] = line.split("\t");
      return names.split(" ", 1)[0] === name ? `${address}\t${names}` : line;
    })
    .join("\n");
}

/** Stands for this machine in lines of /etc/hosts. Docker's word. */
export const HOST_GATEWAY = "host-gateway";

/**
 * The lines with an address in place of `host-gateway`.
 *
 * @param address of this machine as the container reaches it; empty: it does not.
 * @throws {ClusterError} FailedPrecondition when such a line has no address to be. Docker's words.
 */
export function withHostGateway(lines: readonly string[], address: string): string[] {
  return lines.map((line) => {
    const [first = "", ...names] = line.split(/\s+/);
    if (first !== HOST_GATEWAY) return line;
    if (address !== "") return `${address}\t${names.join(" ")}`;
    throw new ClusterError(
      "FailedPrecondition",
      "unable to derive the IP value for host-gateway: the container has no network with a gateway",
    );
  });
}
