import { expect } from "chai";
import type { WireNode, WireTls } from "../../client/wire.ts";
import { tlsStatus } from "./tls-status.ts";

const tls = (root: string, issuer = root): WireTls => ({
  TrustRoot: root,
  CertIssuerSubject: "subject",
  CertIssuerPublicKey: issuer,
});

describe("cli: a node's TLS status", () => {
  const cases = [
    { name: "as the swarm's", own: tls("a"), wanted: tls("a"), expected: "Ready" },
    { name: "old issuer", own: tls("a"), wanted: tls("a", "b"), expected: "Needs Rotation" },
    { name: "trusts two", own: tls("ab", "b"), wanted: tls("b"), expected: "Needs Rotation" },
    { name: "never said", own: undefined, wanted: tls("a"), expected: "Unknown" },
    { name: "no swarm asked", own: tls("a"), wanted: undefined, expected: "Unknown" },
  ];
  for (const { name, own, wanted, expected } of cases) {
    it(`${name}: ${expected}`, () => {
      const description = own === undefined ? {} : { TLSInfo: own };
      expect(tlsStatus({ Description: description } as WireNode, wanted)).to.equal(expected);
    });
  }
});
