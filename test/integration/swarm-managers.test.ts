import { Client, Metadata, type ServiceDefinition, status } from "@grpc/grpc-js";
import { expect } from "chai";
import { renewCertificate, requestCertificate } from "../../manager/ca/ca-client.ts";
import {
  anonymousToManager,
  MANAGER_CHANNEL_OPTIONS,
  NodeCredentials,
} from "../../manager/ca/credentials.ts";
import { leaveSwarm } from "../../manager/membership/membership-client.ts";
import { CAService } from "../../proto/gen/ca.ts";
import { ControlService } from "../../proto/gen/control.ts";
import { DispatcherService } from "../../proto/gen/dispatcher.ts";
import { MembershipService } from "../../proto/gen/membership.ts";
import {
  ContainerSpec,
  NodeAvailability,
  NodeRole,
  NodeState,
  ServiceSpec,
  TaskSpec,
} from "../../proto/gen/objects.ts";
import { RaftService } from "../../proto/gen/raft.ts";
import { eventually } from "../support/eventually.ts";
import { failureOf } from "../support/failure-of.ts";
import { becomeManager, initSwarm, joinSwarm, type TestManager } from "../support/test-manager.ts";

const OPEN_TO_ANYONE = [
  "/muster.CA/GetRootCertificate",
  "/muster.CA/IssueCertificate",
  "/muster.CA/RenewExpired",
];
const ALL_SERVICES: ServiceDefinition[] = [
  CAService,
  ControlService,
  DispatcherService,
  MembershipService,
  RaftService,
];

describe("integration: managers of a swarm", function () {
  this.timeout(40_000);

  let first: TestManager;
  let started: TestManager[];

  beforeEach(async () => {
    first = await initSwarm();
    started = [first];
  });

  afterEach(async () => {
    for (const one of started.reverse()) await one.stop();
  });

  const tokens = () => {
    const rootCa = first.manager.store.view().cluster?.rootCa;
    if (rootCa === undefined) throw new Error("the swarm has no CA");
    return rootCa;
  };
  const members = (of: TestManager) => of.manager.replicatedLog.members();
  const voters = (of: TestManager) => members(of).filter(({ learner }) => learner !== true).length;
  const nodeOf = (of: TestManager, id: string) => of.manager.store.view().nodes.get(id);

  async function joinManager(through = first): Promise<TestManager> {
    const joined = await joinSwarm(through.addr, tokens().managerToken);
    started.push(joined);
    return joined;
  }

  async function joinWorker(): Promise<NodeCredentials> {
    const availability = NodeAvailability.ACTIVE;
    const request = { addr: first.addr, token: tokens().workerToken, availability };
    return new NodeCredentials(await requestCertificate(request));
  }

  async function setRole(through: TestManager, nodeId: string, role: NodeRole): Promise<void> {
    const { node } = await through.manager.control.getNode(nodeId);
    if (node?.spec === undefined) throw new Error("the node has no spec");
    await through.manager.control.updateNode(nodeId, node.meta?.version ?? 0, {
      ...node.spec,
      role,
    });
  }

  it("records the first manager, a worker and a second manager", async () => {
    const worker = await joinWorker();
    const second = await joinManager();
    expect(voters(first)).to.equal(2);
    await eventually("both managers are in the store", () =>
      [first, second].every((one) => nodeOf(second, one.nodeId)?.manager?.addr === one.addr),
    );
    const { node, leader } = await second.manager.control.getNode(worker.identity.nodeId);
    expect(node).to.include({ role: NodeRole.WORKER, manager: undefined });
    expect(leader).to.equal(false);
    expect((await second.manager.control.getNode(first.nodeId)).leader).to.equal(true);
  });

  it("admits through a manager that does not lead", async () => {
    const second = await joinManager();
    const third = await joinManager(second);
    await eventually("three vote", () => [first, second, third].every((one) => voters(one) === 3));
  });

  it("takes orders at every manager, and goes on when the leader dies", async () => {
    const [second, third] = [await joinManager(), await joinManager()];
    const task = TaskSpec.create({ container: ContainerSpec.create({ image: "nginx" }) });
    await third.manager.control.createService(ServiceSpec.create({ name: "web", task }));
    await first.stop();
    started = [second, third];
    const { id } = await second.manager.control.getService("web");
    await third.manager.control.removeService(id);
    const gone = await failureOf(second.manager.control.getService(id));
    expect(gone).to.have.property("code", "NotFound");
  });

  it("makes a worker a manager and a manager a worker", async () => {
    const worker = await joinWorker();
    const { nodeId } = worker.identity;
    await setRole(first, nodeId, NodeRole.MANAGER);
    await eventually(
      "it may have a manager's certificate",
      () => nodeOf(first, nodeId)?.role === NodeRole.MANAGER,
    );
    worker.replace(await renewCertificate([first.addr], worker));
    started.push(await becomeManager(first.addr, worker));
    expect(voters(first)).to.equal(2);

    await setRole(first, nodeId, NodeRole.WORKER);
    await eventually("it is out of the group and a worker", () => {
      const node = nodeOf(first, nodeId);
      return voters(first) === 1 && node?.role === NodeRole.WORKER && node.manager === undefined;
    });
    const error = await failureOf(
      started.at(-1)?.manager.control.getCluster() ?? Promise.resolve(),
    );
    expect(error).to.have.property("code").that.is.oneOf(["Unavailable", "PermissionDenied"]);
    worker.replace(await renewCertificate([first.addr], worker));
    expect(worker.identity.role).to.equal(NodeRole.WORKER);
  });

  it("lets the leader be demoted: it hands over first", async () => {
    const [second, third] = [await joinManager(), await joinManager()];
    await setRole(second, first.nodeId, NodeRole.WORKER);
    await eventually(
      "two are left and one of them leads",
      () =>
        [second, third].every((one) => voters(one) === 2) &&
        [second, third].some((one) => one.manager.replicatedLog.leadership().isLeader),
    );
    await eventually(
      "its next certificate is a worker's",
      () => nodeOf(second, first.nodeId)?.role === NodeRole.WORKER,
    );
  });

  it("takes a manager back that lost its log, as a newcomer, and never its old id", async () => {
    const [second, third] = [await joinManager(), await joinManager()];
    await second.stop();
    const again = await becomeManager(first.addr, second.credentials);
    started = [first, third, again];
    await eventually("three vote, one under a new id", () =>
      started.every((one) => {
        const ids = members(one).map(({ raftId }) => raftId);
        return voters(one) === 3 && ids.includes(again.raftId) && !ids.includes(second.raftId);
      }),
    );
    const former = { raftId: second.raftId, nodeId: "another", addr: second.addr };
    const leader = started.find((one) => one.manager.replicatedLog.leadership().isLeader) ?? first;
    expect(await failureOf(leader.manager.replicatedLog.addMember(former))).to.have.property(
      "message",
      `cannot add manager another: raft id ${second.raftId} was removed; empty its data directory and join again`,
    );
  });

  it("keeps its last manager", async () => {
    const error = await failureOf(setRole(first, first.nodeId, NodeRole.WORKER));
    expect(error.message).to.equal("attempting to demote the last manager of the swarm");
    const limits = { timeoutMs: 2000 };
    expect((await failureOf(leaveSwarm([first.addr], first.credentials, limits))).message).to.match(
      /it is the last one/,
    );
  });

  it("counts a node that left as down at once, and forgets it on request", async () => {
    const second = await joinManager();
    const worker = await joinWorker();
    await leaveSwarm([second.addr], worker, { timeoutMs: 5000 });
    await leaveSwarm([first.addr], second.credentials, { timeoutMs: 5000 });
    expect(voters(first)).to.equal(1);
    for (const nodeId of [worker.identity.nodeId, second.nodeId]) {
      expect(nodeOf(first, nodeId)?.status).to.include({ state: NodeState.DOWN });
      await first.manager.control.removeNode(nodeId, false);
    }
    const error = await failureOf(renewCertificate([first.addr], worker));
    expect(error.message).to.match(/it was removed from the swarm/);
  });

  it("lets nobody in with a token that was rotated away", async () => {
    const old = tokens().workerToken;
    const { meta, spec } = await first.manager.control.getCluster();
    const rotation = { rotateWorkerToken: true, rotateManagerToken: false, rotateUnlockKey: false };
    const version = meta?.version ?? 0;
    await first.manager.control.updateCluster({ version, spec, ...rotation });
    const availability = NodeAvailability.ACTIVE;
    const error = await failureOf(
      requestCertificate({ addr: first.addr, token: old, availability }),
    );
    expect(error.message).to.match(/^invalid join token/);
    await joinWorker();
  });

  it("answers no call of any service to whoever shows no certificate", async () => {
    const root = anonymousToManager(first.credentials.certificate.rootPem);
    const client = new Client(first.addr, root, MANAGER_CHANNEL_OPTIONS);
    const codes = new Map<string, number>();
    for (const { path } of ALL_SERVICES.flatMap((service) => Object.values(service))) {
      codes.set(path, await codeOf(client, path));
    }
    client.close();
    const answered = [...codes].filter(([, code]) => code !== status.UNAUTHENTICATED);
    expect(answered.map(([path]) => path)).to.deep.equal(OPEN_TO_ANYONE);
  });
});

/** What a call with an empty message ends with, whatever kind of method it is. */
async function codeOf(client: Client, path: string): Promise<number> {
  const identity = (bytes: Buffer) => bytes;
  return new Promise((resolve) => {
    const deadline = Date.now() + 5000;
    const call = client.makeBidiStreamRequest(path, identity, identity, new Metadata(), {
      deadline,
    });
    call.on("data", () => undefined);
    call.on("error", () => undefined);
    call.on("status", ({ code }) => resolve(code));
    call.write(Buffer.alloc(0));
    call.end();
  });
}
