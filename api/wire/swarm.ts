import { X509Certificate } from "node:crypto";
import { ClusterError } from "../../core/errors.ts";
import { derSubject } from "../../proto/der-subject.ts";
import type { Cluster, ClusterSpec, NodeTls } from "../../proto/gen/objects.ts";
import { type LivenessSettings, livenessSettings } from "../../proto/liveness-settings.ts";
import { JsonReader } from "../http/json-reader.ts";
import { omitEmpty, wireMeta } from "./common.ts";

const NS_PER_MS = 1e6;
/** Swarm's values where Docker's spec has a word that Muster has no use for. */
const FIXED_RAFT_SETTINGS = {
  KeepOldSnapshots: 0,
  LogEntriesForSlowFollowers: 500,
  ElectionTick: 10,
  HeartbeatTick: 1,
};

/**
 * Reads a SwarmSpec over `current`: what the body leaves out stays as it is.
 *
 * Docker's Dispatcher.HeartbeatPeriod is our heartbeat; DownAfter and RestartGrace beside it are Muster's own. A time that is
 * sent as it is shown changes nothing; 0 gives it its default.
 */
export function readSwarmSpec(body: unknown, current: ClusterSpec): ClusterSpec {
  const json = new JsonReader(body, "SwarmSpec");
  const orchestration = json.object("Orchestration");
  const ca = json.object("CAConfig");
  if (ca.isSet("ExternalCAs")) throw externalCa();
  json.object("TaskDefaults").refuse("LogDriver");
  refuseRaftSettings(json.object("Raft"));
  return {
    ...current,
    name: json.string("Name") || current.name,
    labels: json.has("Labels") ? json.stringMap("Labels") : current.labels,
    taskHistoryLimit:
      orchestration.optionalInteger("TaskHistoryRetentionLimit") ?? current.taskHistoryLimit,
    ...readTimes(json.object("Dispatcher"), current),
    snapshotInterval: json.object("Raft").count("SnapshotInterval") || current.snapshotInterval,
    nodeCertExpiryNs: ca.count("NodeCertExpiry") || current.nodeCertExpiryNs,
    forceRotate: ca.optionalCount("ForceRotate") ?? current.forceRotate,
    autoLockManagers:
      json.object("EncryptionConfig").optionalBoolean("AutoLockManagers") ??
      current.autoLockManagers,
  };
}

/** Of Raft's settings one can be changed; the others may be sent as they are shown, as docker's client does. */
function refuseRaftSettings(json: JsonReader): void {
  for (const [name, fixed] of Object.entries(FIXED_RAFT_SETTINGS)) {
    const asked = json.optionalCount(name);
    if (asked === undefined || asked === 0 || asked === fixed) continue;
    throw new ClusterError(
      "InvalidArgument",
      `SwarmSpec.Raft.${name} cannot be changed in this version of muster: it is ${fixed}, leave it out`,
    );
  }
}

function readTimes(json: JsonReader, current: ClusterSpec): LivenessSettings {
  const shown = livenessSettings(current);
  const read = (name: string, key: keyof LivenessSettings) => {
    const ns = json.optionalCount(name);
    if (ns === undefined) return current[key];
    // Upwards: a time of some nanoseconds is too short, not none.
    const ms = Math.ceil(ns / NS_PER_MS);
    return ms === shown[key] ? current[key] : ms;
  };
  return {
    // Docker's clients send a HeartbeatPeriod of 0 where they mean none.
    heartbeatMs: read("HeartbeatPeriod", "heartbeatMs") || current.heartbeatMs,
    downAfterMs: read("DownAfter", "downAfterMs"),
    restartGraceMs: read("RestartGrace", "restartGraceMs"),
  };
}

/** The CA in a SwarmSpec's CAConfig; empty where the body names none. */
export function readSigningCa(body: unknown): { readonly cert: string; readonly key: string } {
  const ca = new JsonReader(body, "SwarmSpec").object("CAConfig");
  return { cert: ca.string("SigningCACert"), key: ca.string("SigningCAKey") };
}

function externalCa(): ClusterError {
  return new ClusterError(
    "InvalidArgument",
    "cannot use an external CA: a swarm's managers sign certificates themselves; leave --external-ca out, or give them a CA of your own with --ca-cert and --ca-key",
  );
}

/** `/swarm`: the cluster with its join tokens. */
export function writeSwarm(cluster: Cluster): Record<string, unknown> {
  return {
    ...writeClusterInfo(cluster),
    JoinTokens: {
      Worker: cluster.rootCa?.workerToken ?? "",
      Manager: cluster.rootCa?.managerToken ?? "",
    },
  };
}

/** The cluster without its tokens, as `/info` shows it. */
export function writeClusterInfo(cluster: Cluster): Record<string, unknown> {
  return {
    ...wireMeta(cluster.id, cluster.meta),
    Spec: maybeSpec(cluster.spec),
    TLSInfo: writeClusterTls(cluster),
    RootRotationInProgress: cluster.rootCa?.rotation !== undefined,
    DataPathPort: cluster.dataPathPort,
    DefaultAddrPool: cluster.defaultAddressPools,
    SubnetSize: cluster.subnetSize,
  };
}

/**
 * The root certificate, with name and key of who issues certificates, in base64 of DER as Docker shows them: while the
 * root is being replaced, that is the next one already. Clients take a node for moved when its own TLSInfo is this.
 */
function writeClusterTls({ rootCa }: Cluster): Record<string, unknown> | undefined {
  if (rootCa === undefined || rootCa.certPem === "") return undefined;
  const issuer = new X509Certificate(rootCa.rotation?.certPem ?? rootCa.certPem);
  return writeTlsInfo({
    trustRoot: rootCa.certPem,
    issuerSubject: derSubject(issuer.raw),
    issuerPublicKey: issuer.publicKey.export({ type: "spki", format: "der" }),
  });
}

/** What a node trusts, and who signed its certificate. */
export function writeTlsInfo(tls: Omit<NodeTls, "keyDigest">): Record<string, unknown> {
  return {
    TrustRoot: tls.trustRoot,
    CertIssuerSubject: tls.issuerSubject.toString("base64"),
    CertIssuerPublicKey: tls.issuerPublicKey.toString("base64"),
  };
}

function maybeSpec(spec: ClusterSpec | undefined): Record<string, unknown> {
  if (spec === undefined) return {};
  const times = livenessSettings(spec);
  return {
    Name: spec.name || "default",
    Labels: spec.labels,
    Orchestration: { TaskHistoryRetentionLimit: spec.taskHistoryLimit },
    Raft: {
      SnapshotInterval: spec.snapshotInterval,
      ...FIXED_RAFT_SETTINGS,
    },
    Dispatcher: {
      HeartbeatPeriod: times.heartbeatMs * NS_PER_MS,
      DownAfter: times.downAfterMs * NS_PER_MS,
      RestartGrace: times.restartGraceMs * NS_PER_MS,
    },
    // Never the CA itself: who sends back what was read must not ask for a rotation.
    CAConfig: omitEmpty({
      NodeCertExpiry: spec.nodeCertExpiryNs,
      ForceRotate: spec.forceRotate,
    }),
    TaskDefaults: {},
    EncryptionConfig: { AutoLockManagers: spec.autoLockManagers },
  };
}
