import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { selfSigned } from "../test/support/token-server.ts";
import { DEFAULT_TLS_CONFIG, readTls, type TlsConfig } from "./tls-config.ts";

describe("daemon: TLS of the API", () => {
  const folder = mkdtempSync(join(tmpdir(), "muster-tls-"));
  after(() => rmSync(folder, { recursive: true }));
  const path = (name: string) => join(folder, name);
  const files = { tlsCaCert: path("a.pem"), tlsCert: path("a.pem"), tlsKey: path("a.key") };
  const config = (changes: Partial<TlsConfig>): TlsConfig => ({
    ...{ ...DEFAULT_TLS_CONFIG, ...files },
    ...changes,
  });

  before(async () => {
    for (const name of ["a", "b"]) {
      const { certificatePem, keyPem } = await selfSigned(name);
      writeFileSync(path(`${name}.pem`), certificatePem);
      writeFileSync(path(`${name}.key`), keyPem);
    }
  });

  it("is none unless asked for", () => {
    expect(readTls(config({}))).to.equal(undefined);
    expect(readTls(DEFAULT_TLS_CONFIG)).to.equal(undefined);
  });

  it("asks clients for certificates only when it is to", () => {
    expect(readTls(config({ tls: true, tlsCaCert: "" }))).to.include({ requestCert: false });
    const verified = readTls(config({ tlsVerify: true }));
    expect(verified).to.include({ requestCert: true, rejectUnauthorized: true });
    expect(verified?.ca).to.be.instanceOf(Buffer);
  });

  const refused: { name: string; changes: Partial<TlsConfig>; says: string }[] = [
    { name: "no CA", changes: { tlsVerify: true, tlsCaCert: "" }, says: "TLS needs --tlscacert" },
    { name: "no key", changes: { tls: true, tlsKey: "" }, says: "TLS needs --tlskey" },
    { name: "a missing file", changes: { tls: true, tlsCert: "/no" }, says: "/no cannot be read" },
    {
      name: "a key of another certificate",
      changes: { tls: true, tlsKey: path("b.key") },
      says: "is not the key of",
    },
    {
      name: "a certificate for a key",
      changes: { tls: true, tlsKey: files.tlsCert },
      says: "is no key in PEM",
    },
    {
      name: "a key for a CA",
      changes: { tlsVerify: true, tlsCaCert: files.tlsKey },
      says: "is no certificate in PEM",
    },
  ];
  for (const { name, changes, says } of refused)
    it(`refuses ${name}`, () => expect(() => readTls(config(changes))).to.throw(says));
});
