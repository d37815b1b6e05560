import "reflect-metadata";
import { createHash, createPrivateKey, type KeyObject, sign, webcrypto } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from "@peculiar/x509";

/** A key and a certificate it signed itself. */
export interface SelfSigned {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** Issues tokens a docker-registry accepts, to whoever gives the right name and password. */
export interface TokenServer {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  readonly certificatePem: string;
  /** Scopes tokens were asked for. */
  readonly scopes: readonly string[];
  close(): Promise<void>;
}

const TOKEN_SECONDS = 300;
const DAY_MS = 86_400_000;

/** An ECDSA P-256 certificate for `host`, and for addresses. */
export async function selfSigned(
  host: string,
  addresses: readonly string[] = [],
): Promise<SelfSigned> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${host}`,
    extensions: addresses.map(
      (value) => new SubjectAlternativeNameExtension([{ type: "ip", value }]),
    ),
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
    signingAlgorithm: algorithm,
    keys,
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const keyPem = createPrivateKey({ key, format: "der", type: "pkcs8" })
    .export({ format: "pem", type: "pkcs8" })
    .toString();
  return { certificatePem: certificate.toString("pem"), keyPem };
}

/** Source: distribution, auth/token.md and auth/jwt.md. */
export async function startTokenServer(username: string, password: string): Promise<TokenServer> {
  const { certificatePem, keyPem } = await selfSigned("token-server");
  const key = createPrivateKey(keyPem);
  const service = "test-registry";
  const issuer = "test-issuer";
  const scopes: string[] = [];
  const expected = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  const server = createServer((request, response) => {
    const scope = scopeOf(request);
    scopes.push(scope);
    if (request.headers.authorization !== expected) {
      response
        .writeHead(401)
        .end('{"errors":[{"code":"UNAUTHORIZED","message":"wrong password"}]}');
      return;
    }
    const token = tokenFor({ issuer, service, username, scope, key, certificatePem });
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ token }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    realm: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    service,
    issuer,
    certificatePem,
    scopes,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function scopeOf(request: IncomingMessage): string {
  return new URL(request.url ?? "/", "http://localhost").searchParams.get("scope") ?? "";
}

function tokenFor(claims: {
  readonly issuer: string;
  readonly service: string;
  readonly username: string;
  readonly scope: string;
  readonly key: KeyObject;
  readonly certificatePem: string;
}): string {
  const { issuer, service, username, scope, key, certificatePem } = claims;
  const [type, name, actions = ""] = scope.split(":");
  const now = Math.floor(Date.now() / 1000);
  const der = certificatePem.replace(/-----[^-]+-----|\s/g, "");
  const header = { typ: "JWT", alg: "ES256", x5c: [der] };
  const payload = {
    iss: issuer,
    aud: service,
    sub: username,
    iat: now,
    nbf: now - 10,
    exp: now + TOKEN_SECONDS,
    jti: createHash("sha256").update(`${now}${scope}`).digest("hex"),
    access: [{ type, name, actions: actions.split(",") }],
  };
  const signed = `${encode(header)}.${encode(payload)}`;
  const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
