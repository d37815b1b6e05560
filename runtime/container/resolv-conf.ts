import type { DnsSettings } from "./settings.ts";

/**
 * The text of a container's /etc/resolv.conf: the host's, with whatever the container says in place of it.
 *
 * A search of `.` stands for none at all. Source: moby, libnetwork/internal/resolvconf.
 */
export function planResolvConf(host: string, dns: DnsSettings): string {
  const kept = host.split("\n").filter((line) => !isReplaced(line, dns));
  const own = [
    ...dns.servers.map((server) => `nameserver ${server}`),
    ...(isSome(dns.search) ? [`search ${dns.search.join(" ")}`] : []),
    ...(dns.options.length > 0 ? [`options ${dns.options.join(" ")}`] : []),
  ];
  if (own.length === 0 && dns.search.length === 0) return host;
  const lines = [...kept.filter((line) => line.trim() !== ""), ...own];
  return lines.map((line) => `${line}\n`).join("");
}

function isReplaced(line: string, dns: DnsSettings): boolean {
  const [word] = line.trim().split(/\s+/, 1);
  if (word === "nameserver") return dns.servers.length > 0;
  if (word === "search" || word === "domain") return dns.search.length > 0;
  return word === "options" && dns.options.length > 0;
}

function isSome(search: readonly string[]): boolean {
  return search.length > 0 && !(search.length === 1 && search[0] === ".");
}

/** Asked where no server of the host can be reached from a namespace of its own. Source: moby, libnetwork/internal/resolvconf. */
const PUBLIC_SERVERS = ["8.8.8.8", "8.8.4.4"];

/** The host's file as it is of use in a network namespace: without servers on the host's own loopback. */
export function reachableResolvers(host: string): string {
  const lines = host
    .split("\n")
    .filter((line) => !/^\s*nameserver\s+(127\.|::1\s*$)/.test(line) && line !== "");
  const isServed = lines.some((line) => /^\s*nameserver\s/.test(line));
  const servers = isServed ? [] : PUBLIC_SERVERS.map((server) => `nameserver ${server}`);
  return [...lines, ...servers].map((line) => `${line}\n`).join("");
}
