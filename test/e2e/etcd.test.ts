import { join } from "node:path";
import { expect } from "chai";
import type { WireNode } from "../../cli/client/wire.ts";
import {
  type Cluster,
  findLeader,
  formSwarm,
  runningTasks,
  startDaemons,
} from "../support/cluster/cluster.ts";
import type { TestNode } from "../support/cluster/test-node.ts";
import { type EtcdServer, startEtcd } from "../support/etcd.ts";
import { eventually } from "../support/eventually.ts";
import { busyboxImage } from "../support/image-builder.ts";

const CLIENT_PORT = 2379;
const SLOW_MS = 30_000;

describe("e2e: a swarm that keeps its state in etcd", function () {
  this.timeout(120_000);
  let cluster: Cluster;
  let etcd: EtcdServer;
  let first: TestNode;
  let second: TestNode;

  before(async () => {
    const archive = await busyboxImage();
    const flags = (outside: { ip: string }) => [
      ...["--log", "etcd", "--etcd", `http://${outside.ip}:${CLIENT_PORT}`],
    ];
    cluster = await startDaemons({ name: "e2eetcd", managers: 2, workers: 1, flags });
    [first, second] = cluster.managers as [TestNode, TestNode];
    etcd = await startEtcd({
      dir: join(cluster.folder, "etcd"),
      host: cluster.outside.ip,
      clientPort: CLIENT_PORT,
      peerPort: CLIENT_PORT + 1,
      enter: cluster.lab.enter(cluster.outside),
    });
    for (const node of cluster.nodes) await node.mustMuster("image", "load", "-i", archive);
    await formSwarm(cluster);
  });
  after(async () => {
    await etcd?.close();
    await cluster?.close();
  });

  afterEach(function () {
    if (this.currentTest?.state !== "failed") return;
    for (const node of cluster.managers) console.error(node.name, node.logTail(40));
  });

  const leaderIs = (node: TestNode) =>
    eventually(`${node.name} leads`, async () => (await findLeader(cluster)) === node, SLOW_MS);
  const isRunning = async (node: TestNode, service: string, replicas: number) =>
    (await runningTasks(node, service)).length === replicas;

  it("runs a service, asked at a manager that does not lead", async () => {
    await leaderIs(first);
    const words = [
      "--replicas",
      "3",
      "--stop-signal",
      "SIGKILL",
      "--no-resolve-image",
      "busybox",
      "sleep",
      "1000",
    ];
    await second.mustMuster("service", "create", "--name", "web", ...words);
    expect(await isRunning(second, "web", 3)).to.equal(true);
  });

  it("goes on when the leader is killed, and takes it back as a follower", async () => {
    await first.kill("SIGKILL");
    await leaderIs(second);
    await second.mustMuster("service", "scale", "web=5");
    await first.start();
    await eventually(
      "it knows what happened without it",
      () => isRunning(first, "web", 5),
      SLOW_MS,
    );
    const areBothSeen = async () => {
      const nodes = await first.api().get<WireNode[]>("/nodes");
      return (
        nodes.filter(({ ManagerStatus }) => ManagerStatus?.Reachability === "reachable").length ===
        2
      );
    };
    await eventually("the leader sees both managers", areBothSeen, SLOW_MS);
  });

  it("is itself again after all managers and etcd were killed", async () => {
    await Promise.all([first.kill("SIGKILL"), second.kill("SIGKILL"), etcd.kill()]);
    await Promise.all([first.start(), second.start()]);
    const { code, stderr } = await first.muster("service", "ls");
    expect(code).to.not.equal(0);
    expect(stderr).to.contain("does not have a leader");
    await etcd.start();
    await eventually(
      "there is a leader",
      async () => (await findLeader(cluster)) !== undefined,
      SLOW_MS,
    );
    await second.mustMuster("service", "scale", "web=2");
    await eventually("two tasks run", () => isRunning(first, "web", 2), SLOW_MS);
  });

  it("demotes the leader and promotes it again", async () => {
    const leader = (await findLeader(cluster)) ?? first;
    const other = leader === first ? second : first;
    const id = await leader.mustMuster("node", "inspect", "self", "--format", "{{.ID}}");
    await leader.mustMuster("node", "demote", id);
    await leaderIs(other);
    await eventually("it is a worker", async () => !(await leader.isManager()), SLOW_MS);
    await other.mustMuster("node", "promote", id);
    await eventually(
      "it is a manager",
      async () => (await leader.muster("node", "ls")).code === 0,
      SLOW_MS,
    );
  });

  it("says which log the swarm has, when a manager is started for another", async () => {
    await first.kill("SIGTERM");
    const { flags } = first;
    first.flags = [];
    await first.start();
    const error = async () =>
      (await first.api().get<{ Swarm: { Error: string } }>("/info")).Swarm.Error;
    await eventually("it says so", async () => (await error()).includes("--log etcd"), SLOW_MS);
    await first.kill("SIGTERM");
    first.flags = flags;
    await first.start();
    await eventually(
      "it is a manager",
      async () => (await first.muster("node", "ls")).code === 0,
      SLOW_MS,
    );
  });
});
