import { DNS_ADDRESS } from "../plan/vip-rules.ts";
import type { SandboxSpec } from "../types.ts";

/** What a resolv.conf says, as far as it matters here. Source: man 5 resolv.conf. */
export interface ResolvConf {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
}

/** As many as glibc uses. */
const NAMESERVERS_MAX = 3;
/** Names without a dot are the swarm's own: ask for them as they are first. */
const OPTIONS_DEFAULT = "ndots:0";

export function parseResolvConf(text: string): ResolvConf {
  const nameservers: string[] = [];
  let search: string[] = [];
  for (const line of text.split("\n")) {
    const [word, ...values] = line
      .replace(/[#;].*/, "")
      .trim()
      .split(/\s+/);
    if (word === "nameserver") nameservers.push(...values.slice(0, 1));
    if (word === "search" || word === "domain") search = values;
  }
  return { nameservers: nameservers.slice(0, NAMESERVERS_MAX), search };
}

/** The file of a sandbox: our server; the search list of the spec, else of the host. */
export function renderResolvConf(dns: SandboxSpec["dns"], host: ResolvConf): string {
  const search = dns.search.length > 0 ? dns.search : host.search;
  const options = dns.options.some((option) => option.startsWith("ndots:"))
    ? dns.options
    : [...dns.options, OPTIONS_DEFAULT];
  return [
    `nameserver ${DNS_ADDRESS}`,
    ...(search.length > 0 ? [`search ${search.join(" ")}`] : []),
    `options ${options.join(" ")}`,
    "",
  ].join("\n");
}
