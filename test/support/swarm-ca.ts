import { randomBytes } from "node:crypto";
import { type NodeId, newId } from "../../core/ids.ts";
import { systemClock } from "../../core/system-clock.ts";
import { systemRandom } from "../../core/system-random.ts";
import {
  issueCertificate,
  newCertificateRequest,
  newRootCa,
  type SigningCa as RootKeys,
} from "../../manager/ca/certificates.ts";
import { NodeCredentials } from "../../manager/ca/credentials.ts";
import type { NodeIdentity } from "../../manager/ca/identity.ts";
import { formatJoinToken, SECRET_BYTES } from "../../manager/ca/join-token.ts";
import { parseRootCertificate } from "../../manager/ca/node-certificate.ts";
import { NodeRole, type RootCa } from "../../proto/gen/objects.ts";

/** The CA of a swarm for tests, and certificates of it without joining. */
export class TestCa {
  readonly clusterId = newId<NodeId>(systemRandom) as string;
  readonly keys: RootKeys;
  readonly rootCa: RootCa;

  private constructor(keys: RootKeys) {
    this.keys = keys;
    const { digest } = parseRootCertificate(keys.certPem);
    const token = () => formatJoinToken(digest, randomBytes(SECRET_BYTES));
    this.rootCa = {
      certPem: keys.certPem,
      keyPem: keys.keyPem,
      digest: `sha256:${Buffer.from(digest).toString("hex")}`,
      workerToken: token(),
      managerToken: token(),
    };
  }

  static async make(): Promise<TestCa> {
    return new TestCa(await newRootCa(systemClock.nowMs()));
  }

  /** Credentials of a node of this swarm, or of whom `identity` says. */
  async node(identity: Partial<NodeIdentity> = {}): Promise<NodeCredentials> {
    const { keyPem, csr } = await newCertificateRequest();
    const whole = {
      nodeId: newId<NodeId>(systemRandom),
      role: NodeRole.MANAGER,
      clusterId: this.clusterId,
      ...identity,
    };
    const validity = { nowMs: systemClock.nowMs(), validityMs: 3_600_000 };
    const certPem = await issueCertificate(this.keys, csr, whole, validity);
    return new NodeCredentials({ certPem, keyPem, rootPem: this.keys.certPem });
  }
}
