import { askedVersion } from "./api-version.ts";
import { Client } from "./client.ts";
import { dockerConfigFolder } from "./docker-config.ts";
import { DEFAULT_HOST } from "./endpoint.ts";
import { variable } from "./environment.ts";
import { planTls, readTls, type TlsFlags } from "./tls.ts";

/** What the command line says of the way to the daemon. */
export interface Access extends TlsFlags {
  readonly host?: string;
  /** Where logins and certificates are; the environment says so then too, to this process and to helpers. */
  readonly config?: string;
}

/** @throws {ClusterError} `InvalidArgument` for an address or a certificate that is none. */
export function connect({ host, ...flags }: Access): Client {
  const address = host || variable(process.env, "HOST") || DEFAULT_HOST;
  const plan = planTls(flags, process.env, dockerConfigFolder());
  const isSecure = plan !== undefined && !address.startsWith("unix://");
  return new Client(address, isSecure ? readTls(plan) : undefined, askedVersion(process.env));
}
