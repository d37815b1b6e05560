import { ClusterError } from "../../core/errors.ts";
import type { Context } from "../context.ts";
import { type DockerConfig, readDockerConfig } from "./docker-config.ts";

/** What its owner has set for the docker command line, which holds here too. A file that is broken is said, and no more. */
export function userSettings({ warn }: Pick<Context, "warn">): DockerConfig {
  try {
    return readDockerConfig();
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    warn(`WARNING: ${error.message}\n`);
    return {};
  }
}

/**
 * The variables that tell programs in containers of the proxy, but for those that are given anyway.
 *
 * @param host of the daemon. Source: docker/cli, configfile, ParseProxyConfig.
 */
export function proxyVariables(
  { proxies = {} }: Pick<DockerConfig, "proxies">,
  host: string,
  given: readonly string[],
): string[] {
  const own = Object.hasOwn(proxies, host) ? proxies[host] : undefined;
  const proxy = own ?? proxies.default ?? {};
  const values: [name: string, value: string | undefined][] = [
    ["HTTP_PROXY", proxy.httpProxy],
    ["HTTPS_PROXY", proxy.httpsProxy],
    ["NO_PROXY", proxy.noProxy],
    ["FTP_PROXY", proxy.ftpProxy],
    ["ALL_PROXY", proxy.allProxy],
  ];
  const names = new Set(given.map((text) => text.split("=", 1)[0]));
  return values.flatMap(([name, value]) =>
    [name, name.toLowerCase()]
      .filter((one) => value !== undefined && value !== "" && !names.has(one))
      .map((one) => `${one}=${value}`),
  );
}
