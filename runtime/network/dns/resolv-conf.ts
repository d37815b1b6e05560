import { DNS_ADDRESS } from "../plan/dns-rules.ts";

/** What a resolv.conf says, as far as it matters here. Source: man 5 resolv.conf. */
export interface ResolvConf {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
}

/** As many as glibc uses. */
const NAMESERVERS_MAX = 3;
/** Names without a dot are those of networks: ask for them as they are first. */
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

/**
 * The file of a container that has a name server of ours: it, and the search list that is asked for, else the host's. A
 * search of `.` stands for none at all.
 */
export function renderResolvConf(
  dns: { readonly search: readonly string[]; readonly options: readonly string[] },
  host: ResolvConf,
): string {
  const asked = dns.search.length > 0 ? dns.search : host.search;
  const search = asked.filter((domain) => domain !== ".");
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
