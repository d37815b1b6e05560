import { webcrypto, X509Certificate } from "node:crypto";
import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { NodeRole } from "../../proto/gen/objects.ts";
import { issueCertificate, newCertificateRequest, newRootCa } from "./certificates.ts";
import type { NodeIdentity } from "./identity.ts";
import { checkNodeCertificate, parseRootCertificate } from "./node-certificate.ts";

const NOW_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 24 * 60 * 60 * 1000;
const VALIDITY = { nowMs: NOW_MS, validityMs: 90 * DAY_MS };
const WORKER: NodeIdentity = { nodeId: "node1", role: NodeRole.WORKER, clusterId: "cluster1" };

describe("ca: certificates", () => {
  it("issues what it then reads back: node, role and swarm, valid from an hour ago for 90 days", async () => {
    const root = await newRootCa(NOW_MS);
    const { csr, keyPem } = await newCertificateRequest();
    const certPem = await issueCertificate(root, csr, WORKER, VALIDITY);
    const facts = checkNodeCertificate({ certPem, keyPem, rootPem: root.certPem });
    expect(facts.identity).to.deep.equal(WORKER);
    expect(facts).to.include({
      notBeforeMs: NOW_MS - 60 * 60 * 1000,
      notAfterMs: NOW_MS + 90 * DAY_MS,
    });
    expect(new X509Certificate(certPem).subjectAltName).to.equal("DNS:swarm-worker, DNS:node1");
    expect(new X509Certificate(certPem).ca).to.equal(false);
  });

  it("refuses a certificate of another CA and one with another's key", async () => {
    const [root, foreign] = [await newRootCa(NOW_MS), await newRootCa(NOW_MS)];
    const { csr, keyPem } = await newCertificateRequest();
    const other = await newCertificateRequest();
    const certPem = await issueCertificate(root, csr, WORKER, VALIDITY);
    expect(() => checkNodeCertificate({ certPem, keyPem, rootPem: foreign.certPem })).to.throw(
      /not signed by the swarm's CA/,
    );
    expect(() =>
      checkNodeCertificate({ certPem, keyPem: other.keyPem, rootPem: root.certPem }),
    ).to.throw(/key does not belong/);
  });

  it("pins one root certificate and drops whatever comes after it", async () => {
    const [root, foreign] = [await newRootCa(NOW_MS), await newRootCa(NOW_MS)];
    const parsed = parseRootCertificate(root.certPem + foreign.certPem);
    expect(parsed.certPem.match(/BEGIN CERTIFICATE/g)).to.have.length(1);
    expect(parsed.digest).to.deep.equal(parseRootCertificate(root.certPem).digest);
    expect(parsed.digest).not.to.deep.equal(parseRootCertificate(foreign.certPem).digest);
  });

  it("takes no node's certificate for a root", async () => {
    const root = await newRootCa(NOW_MS);
    const { csr } = await newCertificateRequest();
    const certPem = await issueCertificate(root, csr, WORKER, VALIDITY);
    expect(() => parseRootCertificate(certPem)).to.throw(/not that of a root CA/);
  });

  describe("of a malicious request", () => {
    it("ignores the subject and the names", async () => {
      const root = await newRootCa(NOW_MS);
      const csr = await craftRequest({
        subject: "CN=leader, OU=swarm-manager, O=other",
        sans: 200,
      });
      const certificate = new X509Certificate(await issueCertificate(root, csr, WORKER, VALIDITY));
      expect(certificate.subject).to.equal("CN=node1\nOU=swarm-worker\nO=cluster1");
      expect(certificate.subjectAltName).to.equal("DNS:swarm-worker, DNS:node1");
    });

    const refused: { name: string; craft: () => Promise<Uint8Array>; says: RegExp }[] = [
      { name: "nothing", craft: async () => new Uint8Array(), says: /not a readable PKCS #10/ },
      { name: "noise", craft: async () => new Uint8Array(300).fill(0x30), says: /not a readable/ },
      {
        name: "a huge list of names",
        craft: () => craftRequest({ sans: 1200 }),
        says: /at most 16384/,
      },
      {
        name: "a weak RSA key",
        craft: () => craftRequest({ rsaBits: 1024 }),
        says: /only ECDSA P-256/,
      },
      {
        name: "a key of 512 bits",
        craft: () => craftRequest({ rsaBits: 512 }),
        says: /only ECDSA/,
      },
      {
        name: "an Ed25519 key",
        craft: () => craftRequest({ curve: "Ed25519" }),
        says: /only ECDSA/,
      },
      {
        name: "a structure nested without end",
        craft: async () => Buffer.from("3080".repeat(8_000), "hex"),
        says: /not a readable PKCS #10/,
      },
      {
        name: "a structure that says it is longer than it is",
        craft: async () => Buffer.from("3084ffffffff02", "hex"),
        says: /not a readable PKCS #10/,
      },
      {
        name: "another curve",
        craft: () => craftRequest({ curve: "P-384" }),
        says: /only ECDSA P-256/,
      },
      {
        name: "a broken signature",
        craft: () => craftRequest({ spoil: true }),
        says: /not signed by its own key/,
      },
    ];
    for (const { name, craft, says } of refused) {
      it(`refuses ${name}`, async () => {
        const root = await newRootCa(NOW_MS);
        const failure = await issueCertificate(root, await craft(), WORKER, VALIDITY).then(
          () => undefined,
          (error: unknown) => error,
        );
        expect(failure)
          .to.be.instanceOf(ClusterError)
          .and.to.have.property("code", "InvalidArgument");
        expect(failure).to.have.property("message").that.matches(says);
      });
    }
  });
});

interface Craft {
  readonly subject?: string;
  readonly sans?: number;
  readonly rsaBits?: number;
  readonly curve?: string;
  readonly spoil?: boolean;
}

async function craftRequest({
  subject = "",
  sans = 0,
  rsaBits,
  curve = "P-256",
  spoil = false,
}: Craft) {
  const x509 = await import("@peculiar/x509");
  const algorithm =
    rsaBits === undefined
      ? { name: curve === "Ed25519" ? curve : "ECDSA", namedCurve: curve, hash: "SHA-256" }
      : {
          name: "RSASSA-PKCS1-v1_5",
          modulusLength: rsaBits,
          publicExponent: new Uint8Array([1, 0, 1]),
          hash: "SHA-256",
        };
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    "sign",
    "verify",
  ])) as webcrypto.CryptoKeyPair;
  const names = Array.from({ length: sans }, (_, i) => ({
    type: "dns" as const,
    value: `n${i}.example`,
  }));
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subject,
    keys,
    signingAlgorithm: algorithm,
    extensions: sans === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)],
  });
  const der = new Uint8Array(request.rawData);
  if (spoil) der.set([(der.at(-1) ?? 0) ^ 1], der.length - 1);
  return der;
}
