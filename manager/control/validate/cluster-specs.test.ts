import { expect } from "chai";
import { ClusterSpec, NetworkSpec, NodeSpec } from "../../../proto/gen/objects.ts";
import { LIVENESS_DEFAULTS, livenessSettings } from "../../../proto/liveness-settings.ts";
import { checkClusterSpec, checkNetworkSpec, checkNodeSpec } from "./cluster-specs.ts";

const cluster = (part: Partial<ClusterSpec>) => () => checkClusterSpec(ClusterSpec.create(part));
const network = (part: Partial<NetworkSpec>) => () =>
  checkNetworkSpec(NetworkSpec.create({ name: "net", ...part }));
const HOUR_NS = 3600e9;

const REFUSED = [
  { name: "a negative history", check: cluster({ taskHistoryLimit: -1 }), says: /non-negative/ },
  {
    name: "a frantic heartbeat",
    check: cluster({ heartbeatMs: 1 }),
    says: /heartbeat must be between 0.1s and 60s, not 0.001s/,
  },
  {
    name: "a heartbeat of an hour",
    check: cluster({ heartbeatMs: 3_600_000 }),
    says: /heartbeat must be between 0.1s and 60s, not 3600s/,
  },
  { name: "a negative time", check: cluster({ downAfterMs: -1 }), says: /down-after/ },
  {
    name: "being down after less than two heartbeats",
    check: cluster({ heartbeatMs: 1000, downAfterMs: 1500 }),
    says: /down-after 1.5s is less than 2 × heartbeat 1s = 2s/,
  },
  {
    name: "giving up a host that answers before one that does not",
    check: cluster({ downAfterMs: 30_000, restartGraceMs: 20_000 }),
    says: /restart-grace 20s is less than down-after 30s/,
  },
  {
    name: "waiting for a node for a day",
    check: cluster({ restartGraceMs: 24 * 3_600_000 }),
    says: /at most, not 86400s/,
  },
  {
    name: "certificates of a minute",
    check: cluster({ nodeCertExpiryNs: 60e9 }),
    says: /minimum certificate expiry time is: 1h0m0s/,
  },
  {
    name: "certificates that outlive the CA",
    check: cluster({ nodeCertExpiryNs: HOUR_NS * 24 * 365 * 21 }),
    says: /longer than the CA/,
  },
  { name: "a network without a name", check: network({ name: "" }), says: /name must be provided/ },
  { name: "a bridge", check: network({ driver: "bridge" }), says: /use overlay/ },
  {
    name: "an attachable ingress network",
    check: network({ ingress: true, attachable: true }),
    says: /cannot be attachable/,
  },
  {
    name: "a role that is none",
    check: () => checkNodeSpec({ ...NodeSpec.create(), role: 7 as never }),
    says: /role: unknown value 7/,
  },
];

describe("control: specs of cluster, network and node", () => {
  for (const { name, check, says } of REFUSED) {
    it(`refuses ${name}`, () => {
      expect(check).to.throw(says).with.property("code", "InvalidArgument");
    });
  }

  it("takes 0 for the default of every setting", () => {
    expect(cluster({})).not.to.throw();
  });

  it("lets the times that are not set follow those that are", () => {
    expect(livenessSettings(cluster({ heartbeatMs: 5_000 })())).to.deep.equal({
      heartbeatMs: 5_000,
      downAfterMs: 25_000,
      restartGraceMs: 25_000,
    });
    expect(livenessSettings(cluster({ heartbeatMs: 100 })())).to.deep.equal({
      ...LIVENESS_DEFAULTS,
      heartbeatMs: 100,
    });
  });

  it("makes an overlay where no driver is named, and lets names have dots", () => {
    expect(network({ name: "team.net" })().driver).to.equal("overlay");
  });
});
