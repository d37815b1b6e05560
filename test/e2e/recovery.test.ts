import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { WireNode, WireService, WireTask } from "../../cli/client/wire.ts";
import { type Cluster, formSwarm, runningTasks, startDaemons } from "../support/cluster/cluster.ts";
import type { TestNode } from "../support/cluster/test-node.ts";
import { eventually } from "../support/eventually.ts";
import { busyboxImage } from "../support/image-builder.ts";
import { pushImage } from "../support/push-image.ts";
import { type RunningRegistry, startRegistry } from "../support/registry.ts";

const REGISTRY_PORT = 5000;
const SLOW_MS = 30_000;

/** Everything of a swarm that a recovery must leave as it is. */
interface Kept {
  readonly nodeIds: readonly string[];
  readonly networks: readonly string[];
  readonly service: { readonly id: string; readonly ports: unknown; readonly vips: unknown };
  /** Which process runs for which task. */
  readonly containers: readonly string[];
}

describe("e2e: managers are lost, move, lose their disks, and the swarm goes on", function () {
  this.timeout(120_000);
  let cluster: Cluster;
  let registry: RunningRegistry;
  let nodes: [TestNode, TestNode, TestNode, TestNode, TestNode];
  const ids = new Map<TestNode, string>();
  /** A file with the unlock key, from when the managers are locked. */
  let unlockKey: string;

  before(async () => {
    const archive = await busyboxImage();
    const flags = (outside: { ip: string }) => [
      "--insecure-registry",
      `${outside.ip}:${REGISTRY_PORT}`,
    ];
    cluster = await startDaemons({ name: "e2erecovery", managers: 3, workers: 2, flags });
    nodes = cluster.nodes as typeof nodes;
    const listen = `${cluster.outside.ip}:${REGISTRY_PORT}`;
    registry = await startRegistry({
      dir: join(cluster.folder, "registry"),
      listen,
      netns: cluster.outside.netns,
    });
    const image = `${listen}/busybox:test`;
    await pushImage(cluster, archive, image);
    await formSwarm(cluster);
    for (const node of nodes) {
      const { Swarm } = await node.api().get<{ Swarm: { NodeID: string } }>("/info");
      ids.set(node, Swarm.NodeID);
    }
    await nodes[0].mustMuster("network", "create", "-d", "overlay", "back");
    await nodes[0].mustMuster(
      ...["service", "create", "--name", "web", "--replicas", "4", "--network", "back"],
      ...["-p", "8080:80", "--constraint", "node.role==worker", "--stop-signal", "SIGKILL"],
      ...[image, "sleep", "100000"],
    );
    await eventually("four run", async () => (await runningTasks(nodes[0], "web")).length === 4);
  });
  after(async () => {
    await registry?.close();
    await cluster?.close();
  });

  const nodesSeenBy = (node: TestNode) => node.api().get<WireNode[]>("/nodes");
  const seen = async (by: TestNode, node: TestNode) =>
    (await nodesSeenBy(by)).find(({ ID }) => ID === ids.get(node));

  async function keptBy(node: TestNode): Promise<Kept> {
    const api = node.api();
    const service = await api.get<WireService>("/services/web");
    const tasks = (await runningTasks(node, "web")) as (WireTask & {
      Status: { ContainerStatus?: { ContainerID: string; PID: number } };
    })[];
    const networks = await api.get<{ Id: string; Name: string }[]>("/networks", {
      filters: JSON.stringify({ driver: ["overlay"] }),
    });
    return {
      nodeIds: (await nodesSeenBy(node)).map(({ ID }) => ID).sort(),
      networks: networks.map(({ Id, Name }) => `${Name} ${Id}`).sort(),
      service: {
        id: service.ID,
        ports: service.Endpoint?.Ports,
        vips: service.Endpoint?.VirtualIPs,
      },
      containers: tasks
        .map(({ ID, Status: { ContainerStatus: run } }) => `${ID} ${run?.ContainerID} ${run?.PID}`)
        .sort(),
    };
  }

  const isManager = async (node: TestNode) =>
    (await node.api().get<{ Swarm: { ControlAvailable: boolean } }>("/info")).Swarm
      .ControlAvailable;

  async function untilManagersAnswer(by: TestNode, count: number): Promise<void> {
    await eventually(
      `${count} managers answer`,
      async () => {
        const managers = (await nodesSeenBy(by)).filter((node) => node.ManagerStatus !== undefined);
        const up = managers.filter((node) => node.ManagerStatus?.Reachability === "reachable");
        return up.length === count && managers.length === count;
      },
      SLOW_MS,
    );
  }

  const unlock = async (node: TestNode): Promise<void> => {
    const command = ["bin/muster", "-H", `unix://${node.socket}`, "swarm", "unlock"];
    const input = ["sh", "-c", '"$@" < "$0"', unlockKey, ...command];
    const { code, stderr } = await cluster.lab.exec(node.host, input);
    expect(code, stderr).to.equal(0);
  };

  async function scale(by: TestNode, replicas: number): Promise<void> {
    await by.mustMuster("service", "scale", `web=${replicas}`);
    await eventually(
      `${replicas} run`,
      async () => (await runningTasks(by, "web")).length === replicas,
      SLOW_MS,
    );
  }

  it("refuses to force a new cluster while the managers have a leader", async () => {
    const { code, stderr } = await nodes[1].muster("swarm", "init", "--force-new-cluster");
    expect(code).to.equal(1);
    expect(stderr).to.match(/the managers have a leader .* of the 3 answer/);
  });

  it("goes on with a survivor when two of three managers are gone, and restarts no container", async () => {
    const [survivor, second, third] = nodes;
    const before = await keptBy(survivor);
    await Promise.all([second.kill("SIGKILL"), third.kill("SIGKILL")]);
    await eventually(
      "it knows that it can decide nothing",
      async () => (await survivor.muster("swarm", "init", "--force-new-cluster")).code === 0,
      SLOW_MS,
    );
    await eventually(
      "both workers are ready",
      async () => {
        const ready = (await nodesSeenBy(survivor)).filter((one) => one.Status.State === "ready");
        return ready.length === 3;
      },
      SLOW_MS,
    );
    expect(await keptBy(survivor)).to.deep.equal(before);
    await scale(survivor, 6);
  });

  it("takes the old majority back as workers, which harms nobody", async () => {
    const [survivor, second, third] = nodes;
    await Promise.all([second.start(), third.start()]);
    await eventually(
      "both are workers",
      async () => {
        const views = await Promise.all([second, third].map((node) => seen(survivor, node)));
        const managers = await Promise.all([second, third].map(isManager));
        return (
          managers.every((is) => !is) &&
          views.every((view) => view?.Status.State === "ready" && view.ManagerStatus === undefined)
        );
      },
      SLOW_MS,
    );
    expect((await runningTasks(survivor, "web")).length).to.equal(6);
    await survivor.mustMuster("node", "promote", ids.get(second) ?? "", ids.get(third) ?? "");
    await untilManagersAnswer(survivor, 3);
  });

  it("finds a manager that comes back under another address, and so do the workers", async () => {
    const [first, , third] = nodes;
    const { lab } = cluster;
    const moved = third.host.ip.replace(/\d+$/, "99");
    await third.kill("SIGTERM");
    await lab.exec(third.host, ["ip", "address", "del", `${third.host.ip}/24`, "dev", "eth0"]);
    await lab.exec(third.host, ["ip", "address", "add", `${moved}/24`, "dev", "eth0"]);
    await third.start();
    await eventually(
      "the others have its new address",
      async () => {
        const view = await seen(first, third);
        return (
          view?.ManagerStatus?.Addr === `${moved}:2377` &&
          view.ManagerStatus.Reachability === "reachable"
        );
      },
      SLOW_MS,
    );
    const worker = nodes[3];
    await eventually("a worker knows it", async () => {
      const { Swarm } = await worker
        .api()
        .get<{ Swarm: { RemoteManagers: { Addr: string }[] } }>("/info");
      return Swarm.RemoteManagers.some(({ Addr }) => Addr === `${moved}:2377`);
    });
  });

  it("takes a manager whose log is gone back as a newcomer", async () => {
    const [first, second] = nodes;
    await second.kill("SIGKILL");
    rmSync(join(second.dataRoot, "swarm/manager"), { recursive: true });
    await second.start();
    // Nobody may have missed it yet: what the others see says nothing before that.
    const isNewcomer = async () => second.logTail(1000).includes("the log is gone");
    await eventually("it starts again as a newcomer", isNewcomer, SLOW_MS);
    await untilManagersAnswer(first, 3);
  });

  it("is locked from now on", async () => {
    const [first, second, third] = nodes;
    await first.mustMuster("swarm", "update", "--autolock");
    unlockKey = join(cluster.folder, "unlock-key");
    writeFileSync(unlockKey, await first.mustMuster("swarm", "unlock-key", "-q"));
    const isSealed = (node: TestNode) =>
      readFileSync(join(node.dataRoot, "swarm/certificates/node.json"), "utf8").includes("sealed");
    await eventually("all managers are", () => [first, second, third].every(isSealed));
  });

  it("refuses a demotion that would lose the majority, with the arithmetic, and does it by force", async () => {
    const [first, second, third] = nodes;
    await third.kill("SIGKILL");
    await eventually("the leader misses it", async () => {
      const view = await seen(first, third);
      return view?.ManagerStatus?.Reachability === "unreachable";
    });
    const { code, stderr } = await first.muster("node", "demote", ids.get(second) ?? "");
    expect(code).to.equal(1);
    expect(stderr).to.contain(
      "of 3 managers 2 answer; without it 1 of 2 would answer and 2 are needed",
    );
    expect(stderr).to.contain("or use --force");
    await first.mustMuster("node", "demote", "--force", ids.get(second) ?? "");
  });

  it("is recovered offline from the locked directory of one manager, after a look at what is there", async () => {
    const [first] = nodes;
    const recover = (...flags: string[]) =>
      cluster.lab.exec(first.host, [
        ...["bin/muster", "cluster", "recover", "--data-root", first.dataRoot, ...flags],
      ]);
    const busy = await recover("--dry-run");
    expect(busy.stderr).to.contain("a musterd uses");
    const before = (await nodesSeenBy(nodes[0]).catch(() => undefined)) ?? [];
    await first.kill("SIGTERM");
    expect((await recover("--dry-run")).stderr).to.contain("--unlock-key-file");
    const withKey = ["--unlock-key-file", unlockKey];
    const look = await recover("--dry-run", ...withKey);
    expect(look.stdout)
      .to.match(/services +1: web/)
      .and.to.contain("Nothing was changed");
    const { code, stdout, stderr } = await recover(...withKey);
    expect(code, stderr).to.equal(0);
    expect(stdout).to.contain("the only manager of this swarm");
    await first.start();
    await unlock(first);
    await eventually(
      "the workers are back",
      async () => {
        const ready = (await nodesSeenBy(first)).filter((one) => one.Status.State === "ready");
        return ready.length >= 3;
      },
      SLOW_MS,
    );
    expect(before.length === 0 || before.length === 5).to.equal(true);
    await scale(first, 3);
  });

  it("is backed up into one file, restored on another node when all managers are lost, and restarts nothing", async () => {
    const [first, second] = nodes;
    const file = join(cluster.folder, "swarm.backup");
    const passphrase = join(cluster.folder, "passphrase");
    writeFileSync(passphrase, "short\n");
    const weak = await first.muster("cluster", "backup", file, "--passphrase-file", passphrase);
    expect(weak.stderr).to.contain("a passphrase of 12 characters or more is needed");
    expect(existsSync(file)).to.equal(false);
    writeFileSync(passphrase, "correct horse battery staple\n");
    await first.mustMuster("cluster", "backup", file, "--passphrase-file", passphrase);
    const before = await keptBy(first);
    const bytes = readFileSync(file);
    expect(bytes.includes("PRIVATE KEY")).to.equal(false);

    await second.mustMuster("swarm", "leave", "--force");
    await first.kill("SIGKILL");
    await cluster.lab.pullCable(first.host);
    const address = first.host.ip;
    await cluster.lab.exec(second.host, ["ip", "address", "add", `${address}/24`, "dev", "eth0"]);
    // As a gratuitous ARP would: nobody is to send to the machine that had the address.
    for (const { host } of [nodes[3], nodes[4]])
      await cluster.lab.exec(host, ["ip", "neigh", "flush", "dev", "eth0"]);
    const restore = (path: string, secret: string) =>
      second.muster(
        ...["cluster", "restore", path, "--passphrase-file", secret, "--advertise-addr", address],
      );
    const damaged = join(cluster.folder, "damaged.backup");
    const flipped = Buffer.from(bytes);
    flipped[bytes.length - 30] = (flipped[bytes.length - 30] ?? 0) ^ 1;
    writeFileSync(damaged, flipped);
    expect((await restore(damaged, passphrase)).stderr).to.match(/damaged at byte \d+/);
    const wrong = join(cluster.folder, "wrong");
    writeFileSync(wrong, "another passphrase\n");
    expect((await restore(file, wrong)).stderr).to.contain("the passphrase is not the one");
    expect((await second.muster("node", "ls")).stderr).to.contain("not a swarm manager");

    const { code, stdout, stderr } = await restore(file, passphrase);
    expect(code, stderr).to.equal(0);
    expect(stdout).to.contain("is now its only manager");
    // In the state they are ready already: what counts is that they have come.
    await eventually(
      "both workers are back",
      () => {
        const sessions = second
          .logTail(200)
          .split("\n")
          .filter((line) => line.includes("node in session"));
        return [nodes[3], nodes[4]].every((node) =>
          sessions.some((line) => line.includes(ids.get(node) ?? "")),
        );
      },
      SLOW_MS,
    );
    const after = await keptBy(second);
    expect(after.nodeIds).to.include.members([...before.nodeIds]);
    expect({ ...after, nodeIds: [] }).to.deep.equal({ ...before, nodeIds: [] });
    await scale(second, 5);
    await second.kill("SIGKILL");
    await second.start();
    expect((await second.muster("node", "ls")).stderr).to.contain("needs to be unlocked");
    await unlock(second);
    await eventually("it leads again", async () => (await second.muster("node", "ls")).code === 0);
  });
});
