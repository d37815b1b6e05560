import { expect } from "chai";
import { NodeRole } from "../../proto/gen/objects.ts";
import {
  crossSign,
  issueCertificate,
  newCertificateRequest,
  newRootCa,
  type SigningCa,
} from "./certificates.ts";
import { checkNodeCertificate } from "./node-certificate.ts";
import { acceptRoots, normalPem } from "./trust.ts";

const NOW_MS = Date.UTC(2026, 0, 1);

describe("ca: trust in a new root", () => {
  let [old, next, foreign]: SigningCa[] = [];
  let crossed: string;

  before(async () => {
    [old, next, foreign] = await Promise.all([1, 2, 3].map(() => newRootCa(NOW_MS)));
    crossed = await crossSign(must(old), must(next), NOW_MS);
  });

  function must(ca: SigningCa | undefined): SigningCa {
    if (ca === undefined) throw new Error("not made");
    return ca;
  }
  const pem = (ca: SigningCa | undefined) => normalPem(must(ca).certPem);

  it("comes from a signature of the old one", () => {
    const both = acceptRoots(pem(old), pem(old) + pem(next), crossed);
    expect(both).to.equal(pem(old) + pem(next));
    expect(acceptRoots(both, pem(next), "")).to.equal(pem(next));
  });

  const refused: { name: string; make: () => Promise<string> | string; chain?: () => string }[] = [
    { name: "without the signature", make: () => pem(old) + pem(next) },
    {
      name: "with the signature of another root",
      make: () => pem(old) + pem(foreign),
      chain: () => crossed,
    },
    { name: "when no root is offered", make: () => "" },
  ];
  for (const { name, make, chain = () => "" } of refused) {
    it(`is refused ${name}`, async () => {
      const offered = await make();
      expect(() => acceptRoots(pem(old), offered, chain())).to.throw(/has not signed/);
    });
  }

  it("is refused when a foreign CA signed it", async () => {
    const theirs = await crossSign(must(foreign), must(next), NOW_MS);
    expect(() => acceptRoots(pem(old), pem(next), theirs)).to.throw(/has not signed/);
  });

  it("is refused when a node's certificate poses as the signature", async () => {
    const { csr } = await newCertificateRequest();
    const identity = { nodeId: "n", role: NodeRole.MANAGER, clusterId: "c" };
    const validity = { nowMs: NOW_MS, validityMs: 1e9 };
    const leaf = await issueCertificate(must(old), csr, identity, validity);
    expect(() => acceptRoots(pem(old), leaf, leaf)).to.throw(/has not signed/);
  });

  it("lets a node that knows the old root alone follow a certificate of the new one", async () => {
    const { csr, keyPem } = await newCertificateRequest();
    const identity = { nodeId: "n", role: NodeRole.WORKER, clusterId: "c" };
    const leaf = await issueCertificate(must(next), csr, identity, {
      nowMs: NOW_MS,
      validityMs: 1e9,
    });
    const certificate = { certPem: leaf + crossed, keyPem, rootPem: pem(old) };
    expect(checkNodeCertificate(certificate).identity).to.deep.equal(identity);
    expect(() => checkNodeCertificate({ ...certificate, certPem: leaf })).to.throw(/not signed/);
  });
});
