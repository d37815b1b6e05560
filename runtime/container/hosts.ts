/** The lines every container's /etc/hosts begins with. Source: moby, libnetwork/etchosts. */
const STANDARD_LINES = [
  "127.0.0.1\tlocalhost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::0\tip6-localnet",
  "ff00::0\tip6-mcastprefix",
  "ff02::1\tip6-allnodes",
  "ff02::2\tip6-allrouters",
];

/** The text of a container's /etc/hosts; the asked-for lines come before its own addresses. */
export function planHosts(
  hostname: string,
  addresses: readonly string[],
  extraLines: readonly string[],
): string {
  const own = addresses.map((address) => `${address}\t${hostname}`);
  return `${[...STANDARD_LINES, ...extraLines, ...own].join("\n")}\n`;
}
