import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selfSigned } from "../token-server.ts";

/** Files of a certificate and its key. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  readonly folder: string;
  readonly server: Pair;
  readonly client: Pair;
  /** One the daemon does not know. */
  readonly stranger: Pair;
}

/** Makes them in a folder of their own, for 127.0.0.1; the caller removes it. */
export async function makeCertificates(): Promise<Certificates> {
  const folder = mkdtempSync(join(tmpdir(), "muster-e2e-tls-"));
  const make = async (name: string): Promise<Pair> => {
    const { certificatePem, keyPem } = await selfSigned(name, ["127.0.0.1"]);
    const pair = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
    writeFileSync(pair.cert, certificatePem);
    writeFileSync(pair.key, keyPem);
    return pair;
  };
  const [server, client, stranger] = [await make("server"), await make("client"), await make("x")];
  return { folder, server, client, stranger };
}
