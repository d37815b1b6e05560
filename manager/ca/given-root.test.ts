import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { NodeRole } from "../../proto/gen/objects.ts";
import { crossSign, issueCertificate, newCertificateRequest, newRootCa } from "./certificates.ts";
import { parseGivenRoot } from "./given-root.ts";
import { checkNodeCertificate } from "./node-certificate.ts";

const DAY_MS = 24 * 3600 * 1000;
const EC = (curve: string) => ["ec", "-pkeyopt", `ec_paramgen_curve:${curve}`];

describe("ca: a root CA given by a user", () => {
  // Certificates are made in the tests, later than this.
  const nowMs = Date.now() + 3600 * 1000;
  const time = { nowMs, minValidityMs: DAY_MS };
  let dir: string;

  before(() => {
    dir = mkdtempSync(join(tmpdir(), "muster-root-"));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  /** As people make theirs. */
  function openssl(newkey: readonly string[], more: readonly string[] = ["-days", "3650"]) {
    const [key, cert] = [join(dir, "key.pem"), join(dir, "cert.pem")];
    const flags = ["req", "-x509", "-nodes", "-subj", "/CN=acme root/O=Acme", "-newkey", ...newkey];
    execFileSync("openssl", [...flags, ...more, "-keyout", key, "-out", cert], { stdio: "pipe" });
    return { certPem: readFileSync(cert, "utf8"), keyPem: readFileSync(key, "utf8") };
  }

  for (const newkey of [EC("P-256"), EC("P-384"), EC("P-521"), ["rsa:2048"]]) {
    it(`is taken with ${newkey.at(-1)}, signs, and is followed from the root before`, async () => {
      const root = parseGivenRoot(openssl(newkey), time);
      const old = await newRootCa(nowMs);
      const crossed = await crossSign(old, root, nowMs);
      const { csr, keyPem } = await newCertificateRequest();
      const identity = { nodeId: "n", role: NodeRole.WORKER, clusterId: "c" };
      const leaf = await issueCertificate(root, csr, identity, { nowMs, validityMs: DAY_MS });
      for (const certificate of [
        { certPem: leaf, keyPem, rootPem: root.certPem },
        { certPem: leaf + crossed, keyPem, rootPem: old.certPem },
      ]) {
        expect(checkNodeCertificate(certificate).identity).to.deep.equal(identity);
      }
    }).timeout(10_000);
  }

  const good = () => openssl(EC("P-256"));
  const refused: { name: string; make: () => { certPem: string; keyPem: string }; says: RegExp }[] =
    [
      { name: "no key", make: () => ({ ...good(), keyPem: "" }), says: /key must be given/ },
      { name: "no certificate", make: () => ({ ...good(), certPem: "" }), says: /without its/ },
      { name: "noise", make: () => ({ ...good(), certPem: "x" }), says: /no certificate in PEM/ },
      {
        name: "another's key",
        make: () => ({ ...good(), keyPem: good().keyPem }),
        says: /not the certificate's/,
      },
      { name: "a weak key", make: () => openssl(["rsa:1024"]), says: /too weak/ },
      { name: "an old curve", make: () => openssl(EC("prime192v1")), says: /too weak/ },
      {
        name: "a certificate of no CA",
        make: () => openssl(EC("P-256"), ["-addext", "basicConstraints=critical,CA:FALSE"]),
        says: /not that of a CA/,
      },
      {
        name: "one that ends before what it signs",
        make: () => openssl(EC("P-256"), ["-days", "1"]),
        says: /before the certificates it is to sign/,
      },
      {
        name: "several at once",
        make: () => {
          const { certPem, keyPem } = good();
          return { certPem: certPem + certPem, keyPem };
        },
        says: /several/,
      },
      {
        name: "far too much text",
        make: () => ({ ...good(), certPem: "A".repeat(1_000_000) }),
        says: /too large/,
      },
    ];
  for (const { name, make, says } of refused) {
    it(`is refused with ${name}, and its key is not repeated`, () => {
      const given = make();
      expect(() => parseGivenRoot(given, { nowMs, minValidityMs: 2 * DAY_MS }))
        .to.throw(ClusterError)
        .that.satisfies(
          ({ message }: Error) => says.test(message) && !message.includes("PRIVATE KEY"),
        );
    });
  }
});
