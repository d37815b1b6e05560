import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { expect } from "chai";
import type { RenewExpiredRequest } from "../../proto/gen/ca.ts";
import { Cluster, Node, NodeRole } from "../../proto/gen/objects.ts";
import { StoreFixture } from "../../test/support/store-fixture.ts";
import { TestCa } from "../../test/support/swarm-ca.ts";
import { createChange } from "../store/changes.ts";
import type { View } from "../store/tables.ts";
import type { NodeCredentials } from "./credentials.ts";
import { CLOCK_SKEW_MAX_MS, EXPIRED_GRACE_MS, signProof } from "./expired-proof.ts";
import { EXPIRED_PEM_BYTES_MAX, nodeOfExpired } from "./expired-renewal.ts";

const CSR = Buffer.from("a request for a key");
const SOON_MS = 60_000;

describe("ca: an expired certificate is replaced", () => {
  let ca: TestCa;
  let own: NodeCredentials;
  let endedMs: number;

  before(async () => {
    ca = await TestCa.make();
    own = await ca.node({ nodeId: "w", role: NodeRole.WORKER });
    endedMs = own.facts.notAfterMs;
  });

  /** The swarm as the leader knows it, the node as `change` has it. */
  function viewWith(change: Partial<Node> = {}, nodes = ["w"]): View {
    const fixture = new StoreFixture();
    fixture.must(
      createChange(
        "cluster",
        Cluster.fromPartial({ id: ca.clusterId, spec: {}, rootCa: ca.rootCa }),
      ),
    );
    for (const id of nodes) {
      const node = { id, spec: {}, role: NodeRole.WORKER, tls: own.facts.tls, ...change };
      fixture.must(createChange("node", Node.fromPartial(node)));
    }
    return fixture.view;
  }

  function requestOf(
    { certificate }: NodeCredentials,
    { atMs = endedMs + SOON_MS, keyPem = certificate.keyPem, csr = CSR } = {},
  ): RenewExpiredRequest {
    const { raw } = new X509Certificate(certificate.certPem);
    const signature = signProof({ csr: CSR, certificate: raw, atMs }, keyPem);
    return { csr, certPem: certificate.certPem, atMs, signature };
  }

  const find = (request: RenewExpiredRequest, view = viewWith(), nowMs = endedMs + SOON_MS) =>
    nodeOfExpired(view, request, nowMs);

  it("by a proof of its key, in the role the node has by now", () => {
    expect(find(requestOf(own), viewWith({ role: NodeRole.MANAGER })).role).to.equal(
      NodeRole.MANAGER,
    );
  });

  it("after the days of grace only on an operator's word, and as long as that holds", () => {
    const atMs = endedMs + EXPIRED_GRACE_MS + 1;
    const request = requestOf(own, { atMs });
    expect(() => find(request, viewWith(), atMs)).to.throw(/run 'muster node approve w'/);
    expect(find(request, viewWith({ renewalApprovedUntilMs: atMs }), atMs).id).to.equal("w");
    expect(() => find(request, viewWith({ renewalApprovedUntilMs: atMs - 1 }), atMs)).to.throw(
      /too long ago/,
    );
  });

  const otherKey = () =>
    `${generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" })}`;
  const refused: {
    name: string;
    make: () => Promise<RenewExpiredRequest> | RenewExpiredRequest;
    view?: () => View;
    says: RegExp;
  }[] = [
    {
      name: "by whoever has the certificate and not its key",
      make: () => requestOf(own, { keyPem: otherKey() }),
      says: /does not prove to hold its key/,
    },
    {
      name: "for another new key than the one that was signed",
      make: () => requestOf(own, { csr: Buffer.from("another") }),
      says: /does not prove to hold its key/,
    },
    {
      name: "with a signature that is none",
      make: () => ({ ...requestOf(own), signature: Buffer.from("junk") }),
      says: /does not prove to hold its key/,
    },
    {
      name: "by a proof kept for later",
      make: () => requestOf(own, { atMs: endedMs + SOON_MS - CLOCK_SKEW_MAX_MS - 1 }),
      says: /the node's clock says \S+, the manager's \S+: put them right/,
    },
    {
      name: "for a node that was removed",
      make: () => requestOf(own),
      view: () => viewWith({}, []),
      says: /node w was removed from the swarm/,
    },
    {
      name: "by an older key than the node's last",
      make: async () => requestOf(await ca.node({ nodeId: "w", role: NodeRole.WORKER })),
      says: /node w had another certificate since/,
    },
    {
      name: "for a node that never said which key it has",
      make: () => requestOf(own),
      view: () => viewWith({ tls: undefined }),
      says: /leave the swarm here and join again/,
    },
    {
      name: "for a node of another swarm with the same root",
      make: async () => requestOf(await ca.node({ nodeId: "w", clusterId: "other" })),
      says: /not of this swarm/,
    },
    {
      name: "for a certificate of another CA",
      make: async () => requestOf(await (await TestCa.make()).node({ nodeId: "w" })),
      says: /not of this swarm/,
    },
    {
      name: "for what is no certificate",
      make: () => ({ ...requestOf(own), certPem: "junk" }),
      says: /not of this swarm/,
    },
    {
      name: "for one that is too large to be read",
      make: () => ({ ...requestOf(own), certPem: "x".repeat(EXPIRED_PEM_BYTES_MAX + 1) }),
      says: /the certificate is too large/,
    },
  ];
  for (const { name, make, view = viewWith, says } of refused) {
    it(`not ${name}`, async () => {
      const request = await make();
      expect(() => find(request, view())).to.throw(says);
    });
  }
});
