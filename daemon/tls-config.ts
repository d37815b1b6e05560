import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { SecureContextOptions } from "node:tls";
import type { Command } from "commander";
import { ClusterError } from "../core/errors.ts";

/** How the API's TCP addresses are guarded; dockerd's settings. */
export interface TlsConfig {
  /** TLS, whoever the client is. */
  readonly tls: boolean;
  /** TLS, and the client shows a certificate of the CA. */
  readonly tlsVerify: boolean;
  /** PEM files; empty: none. */
  readonly tlsCaCert: string;
  readonly tlsCert: string;
  readonly tlsKey: string;
}

export const DEFAULT_TLS_CONFIG: TlsConfig = {
  tls: false,
  tlsVerify: false,
  tlsCaCert: "",
  tlsCert: "",
  tlsKey: "",
};

/** dockerd's key in the configuration file for each. */
export const TLS_FILE_KEYS: Readonly<Record<string, keyof TlsConfig>> = {
  tls: "tls",
  tlsverify: "tlsVerify",
  tlscacert: "tlsCaCert",
  tlscert: "tlsCert",
  tlskey: "tlsKey",
};

/** What a TLS server needs, read and checked. */
export interface TlsServerOptions extends SecureContextOptions {
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
}

const MIN_VERSION = "TLSv1.2";

/** Adds dockerd's flags. */
export function addTlsOptions(program: Command): void {
  program
    .option("--tls", "TLS at tcp:// addresses, with the certificate of --tlscert")
    .option("--tlsverify", "The same, for clients alone that show a certificate of --tlscacert")
    .option("--tlscacert <path>", "CA of the clients' certificates, PEM")
    .option("--tlscert <path>", "Certificate of this daemon, PEM")
    .option("--tlskey <path>", "Its key, PEM");
}

/** The flags by the names of the settings. */
export function takeTlsFlags(flags: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { tls, tlsverify, tlscacert, tlscert, tlskey } = flags;
  return { tls, tlsVerify: tlsverify, tlsCaCert: tlscacert, tlsCert: tlscert, tlsKey: tlskey };
}

/** Whether TCP addresses speak TLS. */
export function hasTls({ tls, tlsVerify }: Pick<TlsConfig, "tls" | "tlsVerify">): boolean {
  return tls || tlsVerify;
}

/**
 * Reads the files of the configuration; undefined without TLS.
 *
 * @throws {ClusterError} InvalidArgument for files that are missing, cannot be read or do not belong together.
 */
export function readTls(config: TlsConfig): TlsServerOptions | undefined {
  if (!hasTls(config)) return undefined;
  const cert = readPem("tlscert", config.tlsCert);
  const key = readPem("tlskey", config.tlsKey);
  const ca = config.tlsVerify ? readPem("tlscacert", config.tlsCaCert) : undefined;
  checkPair(config, cert, key);
  if (ca !== undefined) parseCertificate("tlscacert", config.tlsCaCert, ca);
  return {
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    minVersion: MIN_VERSION,
    requestCert: config.tlsVerify,
    rejectUnauthorized: config.tlsVerify,
  };
}

function readPem(flag: string, path: string): Buffer {
  if (path === "") throw invalid(`TLS needs --${flag}`);
  try {
    return readFileSync(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw invalid(`--${flag} ${path} cannot be read (${code})`);
  }
}

function checkPair({ tlsCert, tlsKey }: TlsConfig, cert: Buffer, key: Buffer): void {
  const certificate = parseCertificate("tlscert", tlsCert, cert);
  let matches: boolean;
  try {
    matches = certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    throw invalid(`--tlskey ${tlsKey} is no key in PEM`);
  }
  if (!matches) throw invalid(`--tlskey ${tlsKey} is not the key of ${tlsCert}`);
}

function parseCertificate(flag: string, path: string, pem: Buffer): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw invalid(`--${flag} ${path} is no certificate in PEM`);
  }
}

function invalid(why: string): ClusterError {
  return new ClusterError("InvalidArgument", `cannot use the configuration: ${why}`);
}
