import { expect } from "chai";
import { CAService } from "../../proto/gen/ca.ts";
import { ControlService } from "../../proto/gen/control.ts";
import { DispatcherService } from "../../proto/gen/dispatcher.ts";
import { MembershipService } from "../../proto/gen/membership.ts";
import { NodeRole } from "../../proto/gen/objects.ts";
import { RaftService } from "../../proto/gen/raft.ts";
import { authorize, type CurrentRole } from "./authorization.ts";
import type { NodeIdentity } from "./identity.ts";

const WORKER: NodeIdentity = { nodeId: "w", role: NodeRole.WORKER, clusterId: "c" };
const MANAGER: NodeIdentity = { nodeId: "m", role: NodeRole.MANAGER, clusterId: "c" };
const PATHS = [
  CAService,
  ControlService,
  DispatcherService,
  MembershipService,
  RaftService,
].flatMap((service) => Object.values(service).map(({ path }) => path));

function refusal(path: string, peer: NodeIdentity | undefined, currentRole: CurrentRole): string {
  try {
    authorize(path, peer, { clusterId: "c", currentRole });
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

const known: CurrentRole = (id) => (id === "m" ? NodeRole.MANAGER : NodeRole.WORKER);
const open = (peer: NodeIdentity | undefined, currentRole = known) =>
  PATHS.filter((path) => refusal(path, peer, currentRole) === "");

describe("ca: authorization", () => {
  it("opens just the methods of getting a certificate to callers without a certificate", () => {
    expect(open(undefined)).to.deep.equal([
      "/muster.CA/GetRootCertificate",
      "/muster.CA/IssueCertificate",
      "/muster.CA/RenewExpired",
    ]);
  });

  it("opens to workers what they need and nothing else", () => {
    expect(open(WORKER)).to.have.members([
      "/muster.CA/GetRootCertificate",
      "/muster.CA/IssueCertificate",
      "/muster.CA/RenewCertificate",
      "/muster.CA/RenewExpired",
      "/muster.Dispatcher/Session",
      "/muster.Dispatcher/PublishLogs",
      "/muster.Membership/Leave",
    ]);
  });

  it("opens every method there is to managers", () => {
    expect(open(MANAGER)).to.deep.equal(PATHS);
  });

  it("knows no method that is not in its table", () => {
    expect(refusal("/muster.Other/Method", MANAGER, known)).to.include("open to nobody");
    expect(refusal("/muster.CA/Other", MANAGER, known)).to.include("open to nobody");
  });

  it("refuses certificates of another swarm", () => {
    expect(refusal("/muster.Control/GetNode", { ...MANAGER, clusterId: "x" }, known)).to.include(
      "another swarm",
    );
  });

  it("treats a demoted manager as a worker while its certificate still says manager", () => {
    expect(open(MANAGER, () => NodeRole.WORKER)).to.not.include("/muster.Control/GetNode");
    expect(open(MANAGER, () => NodeRole.WORKER)).to.include("/muster.CA/RenewCertificate");
  });

  it("refuses a removed node, except to bring a lagging manager up to date", () => {
    const removed = open(MANAGER, () => "removed");
    expect(removed.filter((path) => !path.startsWith("/muster.Raft/"))).to.deep.equal(
      open(undefined),
    );
  });

  it("goes by the certificate while it knows nothing of the node", () => {
    expect(open(MANAGER, () => "unknown")).to.deep.equal(PATHS);
  });
});
