import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import { parseBoolean } from "../flags/boolean.ts";
import { type Environment, variable } from "./environment.ts";

/** What of TLS the command line says. */
export interface TlsFlags {
  readonly tls?: boolean;
  readonly tlsverify?: boolean;
  readonly tlscacert?: string;
  readonly tlscert?: string;
  readonly tlskey?: string;
}

/** Which files a connection is secured with; those that are not `asked` for by name may be missing. */
export interface TlsPlan {
  /** Whether the daemon must show that it is the one. */
  readonly verifies: boolean;
  readonly ca: PlannedFile;
  readonly cert: PlannedFile;
  readonly key: PlannedFile;
}

interface PlannedFile {
  readonly path: string;
  readonly asked: boolean;
}

/** How a connection to the daemon is secured, in the terms of node:tls. */
export interface ClientTls {
  readonly rejectUnauthorized: boolean;
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/**
 * Flags come before the environment: MUSTER_TLS, MUSTER_TLS_VERIFY and MUSTER_CERT_PATH, or docker's.
 *
 * @param folder where the files are unless told otherwise. @returns undefined: no TLS. @throws {ClusterError}
 * Source: docker/cli, cli/flags/options.go.
 */
export function planTls(flags: TlsFlags, env: Environment, folder: string): TlsPlan | undefined {
  // As docker has it, any value but none is a yes.
  const verifies = flags.tlsverify ?? variable(env, "TLS_VERIFY") !== undefined;
  const asked = variable(env, "TLS");
  const isOn = flags.tls ?? (asked === undefined ? false : parseBoolean("tls", asked));
  if (!isOn && !verifies && flags.tlsverify === undefined) return undefined;
  const base = variable(env, "CERT_PATH") ?? folder;
  const file = (given: string | undefined, name: string): PlannedFile => ({
    path: given ?? join(base, name),
    asked: given !== undefined,
  });
  return {
    verifies,
    ca: { ...file(flags.tlscacert, "ca.pem"), ...(verifies ? { asked: true } : {}) },
    cert: file(flags.tlscert, "cert.pem"),
    key: file(flags.tlskey, "key.pem"),
  };
}

/** @throws {ClusterError} `InvalidArgument` when a file cannot be read. */
export function readTls({ verifies, ca, cert, key }: TlsPlan): ClientTls {
  const [caPem, certPem, keyPem] = [verifies ? read(ca) : undefined, read(cert), read(key)];
  if ((certPem === undefined) !== (keyPem === undefined)) {
    const missing = certPem === undefined ? cert.path : key.path;
    throw new ClusterError(
      "InvalidArgument",
      `cannot use TLS: a certificate needs its key, and ${missing} is not there`,
    );
  }
  const files = {
    ...(caPem === undefined ? {} : { ca: caPem }),
    ...(certPem === undefined ? {} : { cert: certPem }),
    ...(keyPem === undefined ? {} : { key: keyPem }),
  };
  try {
    createSecureContext(files);
  } catch (cause) {
    const names = [...(verifies ? [ca] : []), cert, key].map(({ path }) => path).join(", ");
    const message = `cannot use TLS: ${names}: not PEM, or not of each other (${errorMessage(cause)})`;
    throw new ClusterError("InvalidArgument", message, { cause });
  }
  return { rejectUnauthorized: verifies, ...files };
}

function read({ path, asked }: PlannedFile): Buffer | undefined {
  if (!asked && !existsSync(path)) return undefined;
  try {
    return readFileSync(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ClusterError("InvalidArgument", `cannot use TLS: cannot read ${path} (${code})`, {
      cause,
    });
  }
}
