import { join } from "node:path";
import { expect } from "chai";
import type { WireNode, WireService, WireTask } from "../../cli/client/wire.ts";
import { type Cluster, formSwarm, runningTasks, startDaemons } from "../support/cluster/cluster.ts";
import type { TestNode } from "../support/cluster/test-node.ts";
import { debianDockerCli } from "../support/docker-cli.ts";
import { eventually } from "../support/eventually.ts";
import { busyboxImage } from "../support/image-builder.ts";
import { pushImage } from "../support/push-image.ts";
import { type RunningRegistry, startRegistry } from "../support/registry.ts";

const REGISTRY_PORT = 5000;
const SLOW_MS = 30_000;

describe("e2e: services", function () {
  this.timeout(120_000);
  let cluster: Cluster;
  let registry: RunningRegistry;
  let manager: TestNode;
  let worker: TestNode;
  let image: string;

  before(async () => {
    const archive = await busyboxImage();
    const flags = (outside: { ip: string }) => [
      "--insecure-registry",
      `${outside.ip}:${REGISTRY_PORT}`,
    ];
    cluster = await startDaemons({ name: "e2eservice", managers: 1, workers: 1, flags });
    [manager, worker] = cluster.nodes as [TestNode, TestNode];
    const listen = `${cluster.outside.ip}:${REGISTRY_PORT}`;
    registry = await startRegistry({
      dir: join(cluster.folder, "registry"),
      listen,
      netns: cluster.outside.netns,
    });
    image = `${listen}/busybox:test`;
    await pushImage(cluster, archive, image);
    await formSwarm(cluster);
  });
  after(async () => {
    await registry?.close();
    await cluster?.close();
  });

  const tasksOf = async (service: string) => {
    const filters = JSON.stringify({ service: [service] });
    return manager.api().get<WireTask[]>("/tasks", { filters });
  };
  /** Its containers end at once: what runs as the first process ignores SIGTERM. */
  const create = (name: string, ...more: string[]) =>
    manager.muster("service", "create", "--name", name, "--stop-signal", "SIGKILL", ...more);
  const remove = async (name: string) => {
    await manager.mustMuster("service", "rm", name);
    await eventually(
      `the tasks of ${name} are gone`,
      async () => (await allTasks()).length === 0,
      SLOW_MS,
    );
  };
  const allTasks = () => manager.api().get<WireTask[]>("/tasks");

  it("is created attached, listed, shown, scaled and removed", async () => {
    const { code, stdout, stderr } = await create(
      "life",
      "--replicas",
      "2",
      image,
      "sleep",
      "1000",
    );
    expect(code, stderr).to.equal(0);
    expect(stdout.trim()).to.match(/^[0-9a-z]{25}$/);
    expect(stderr).to.contain("overall progress: 2 out of 2 tasks");
    expect(
      await manager.mustMuster("service", "ls", "--format", "{{.Name}} {{.Mode}} {{.Replicas}}"),
    ).to.equal("life replicated 2/2");
    const states = await manager.mustMuster(
      "service",
      "ps",
      "life",
      "--format",
      "{{.Name}} {{.DesiredState}}",
    );
    expect(states).to.equal("life.1 Running\nlife.2 Running");
    const [inspected] = JSON.parse(await manager.mustMuster("service", "inspect", "life")) as [
      WireService,
    ];
    expect(inspected.Spec.TaskTemplate.ContainerSpec.Image).to.match(/@sha256:[0-9a-f]{64}$/);
    await manager.mustMuster("service", "scale", "life=4");
    expect((await runningTasks(manager, "life")).length).to.equal(4);
    const nodes = new Set((await runningTasks(manager, "life")).map((task) => task.NodeID));
    expect(nodes.size).to.equal(2);
    await remove("life");
  });

  it("shows the output of all its tasks", async () => {
    await create(
      "talk",
      "--replicas",
      "2",
      image,
      "sh",
      "-c",
      "echo hello from $HOSTNAME; sleep 1000",
    );
    await eventually("both lines are there", async () => {
      const lines = (await manager.mustMuster("service", "logs", "talk")).split("\n");
      return (
        lines.length === 2 &&
        lines.every((line) => /^talk\.[12]\.\w+@h[12] {4}\| hello from/.test(line))
      );
    });
    await remove("talk");
  });

  it("passes environment, user, hostname and limits to its containers", async () => {
    const script =
      "echo $A $(id -u) $(hostname) $(cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null); sleep 1000";
    const flags = ["-e", "A=b", "--user", "33", "--hostname", "named", "--limit-memory", "32m"];
    await create("given", ...flags, image, "sh", "-c", script);
    await eventually("it says so", async () => {
      return (
        (await manager.mustMuster("service", "logs", "--raw", "given")) === "b 33 named 33554432"
      );
    });
    await remove("given");
  });

  it("is reached by name and address inside its network", async () => {
    await manager.mustMuster("network", "create", "inner");
    await create(
      "backend",
      "--replicas",
      "2",
      "--network",
      "inner",
      image,
      "sh",
      "-c",
      "mkdir w; hostname > w/index.html; httpd -f -p 80 -h w",
    );
    const ask = "while true; do wget -q -O - http://backend/ || echo failed; sleep 0.2; done";
    await create("client", "--network", "inner", image, "sh", "-c", ask);
    await eventually(
      "both backends answer by one name",
      async () => {
        const lines = (await manager.mustMuster("service", "logs", "--raw", "client")).split("\n");
        return new Set(lines.filter((line) => line !== "failed")).size === 2;
      },
      SLOW_MS,
    );
    await manager.mustMuster("service", "rm", "client");
    await remove("backend");
    await eventually(
      "the network can go",
      async () => (await manager.muster("network", "rm", "inner")).code === 0,
    );
  });

  it("replaces a task whose container ends, and one that becomes unhealthy", async () => {
    const check = [
      "--health-cmd",
      "test ! -e /sick",
      "--health-interval",
      "200ms",
      "--health-retries",
      "1",
      "--restart-delay",
      "100ms",
    ];
    await create("ill", ...check, image, "sh", "-c", "sleep 1; touch /sick; sleep 1000");
    await eventually(
      "an unhealthy task was replaced",
      async () => {
        const tasks = await tasksOf("ill");
        return (
          tasks.some(
            (task) =>
              task.Status.State === "failed" && (task.Status.Err ?? "").includes("unhealthy"),
          ) && tasks.length > 1
        );
      },
      SLOW_MS,
    );
    await remove("ill");
  });

  it("rolls an update out, and back", async () => {
    await create("roll", "--replicas", "2", "--update-monitor", "0s", image, "sleep", "1000");
    await manager.mustMuster("service", "update", "--env-add", "NEW=1", "roll");
    const [updated] = JSON.parse(await manager.mustMuster("service", "inspect", "roll")) as [
      WireService,
    ];
    expect(updated.Spec.TaskTemplate.ContainerSpec.Env).to.deep.equal(["NEW=1"]);
    expect(updated.PreviousSpec?.TaskTemplate.ContainerSpec.Env).to.equal(undefined);
    await manager.mustMuster("service", "rollback", "roll");
    const [back] = JSON.parse(await manager.mustMuster("service", "inspect", "roll")) as [
      WireService,
    ];
    expect(back.Spec.TaskTemplate.ContainerSpec.Env).to.equal(undefined);
    await remove("roll");
  });

  it("leaves a drained node, and comes back when it is active", async () => {
    await create("move", "--replicas", "2", image, "sleep", "1000");
    const node = await manager.mustMuster("node", "ls", "-q", "--filter", "name=h2");
    await manager.mustMuster("node", "update", "--availability", "drain", node);
    await eventually(
      "both run on the other",
      async () => {
        const tasks = await runningTasks(manager, "move");
        return tasks.length === 2 && tasks.every((task) => task.NodeID !== node);
      },
      SLOW_MS,
    );
    await manager.mustMuster("node", "update", "--availability", "active", node);
    await remove("move");
  });

  it("keeps its containers while its daemon is killed, and is adopted by the next", async () => {
    await create("stay", "--replicas", "2", image, "sleep", "1000");
    const ids = async () =>
      (await runningTasks(manager, "stay"))
        .map((task) => JSON.stringify(task.Status))
        .map(containerId)
        .sort();
    const before = await ids();
    await worker.kill("SIGKILL");
    await worker.start();
    await eventually(
      "the node is ready",
      async () => {
        const nodes = await manager.api().get<WireNode[]>("/nodes");
        return nodes.every((node) => node.Status.State === "ready");
      },
      SLOW_MS,
    );
    expect(await ids()).to.deep.equal(before);
    await remove("stay");
  });

  it("runs an image that was loaded from an archive, and asks no registry", async () => {
    const archive = await busyboxImage();
    expect(await manager.mustMuster("image", "load", "-i", archive)).to.equal(
      "Loaded image: busybox:latest",
    );
    expect(
      await manager.mustMuster("image", "ls", "--format", "{{.Repository}}:{{.Tag}}"),
    ).to.contain("busybox:latest");
    const here = ["--no-resolve-image", "--constraint", "node.hostname==h1"];
    const { code, stderr } = await create("loaded", ...here, "busybox", "sleep", "1000");
    expect(code, stderr).to.equal(0);
    await remove("loaded");
    const broken = await manager.muster("image", "load", "-i", "/etc/hostname");
    expect(broken.code).to.equal(1);
    expect(broken.stderr).to.contain("archive");
  });

  describe("what cannot be", () => {
    const refused: { name: string; args: string[]; message: string }[] = [
      {
        name: "negative replicas",
        args: ["--replicas=-1", "busybox"],
        message: "invalid number of replicas",
      },
      {
        name: "fractional replicas",
        args: ["--replicas=0.5", "busybox"],
        message: "invalid number of replicas",
      },
      { name: "huge replicas", args: ["--replicas=10000000", "busybox"], message: "replicas" },
      { name: "a bad image name", args: ["Busy Box"], message: "not a valid repository/tag" },
      { name: "an unknown network", args: ["--network", "nope", "busybox"], message: "nope" },
      {
        name: "the same port twice",
        args: ["-p", "81:80", "-p", "81:90", "busybox"],
        message: "duplicate published ports",
      },
      {
        name: "a bad constraint",
        args: ["--constraint", "node.role", "busybox"],
        message: "invalid expression node.role",
      },
    ];
    for (const { name, args, message } of refused) {
      it(`refuses ${name}, and nothing is made`, async () => {
        const { code, stderr } = await create("wrong", "--no-resolve-image", ...args);
        expect(code).to.not.equal(0);
        expect(stderr).to.contain(message);
        expect(await manager.mustMuster("service", "ls", "-q")).to.equal("");
      });
    }

    it("refuses a name and a port that are taken, and names the holder", async () => {
      await create("holder", "-d", "-p", "8099:80", image, "sleep", "1000");
      const name = await create("holder", image);
      expect(name.code).to.equal(1);
      expect(name.stderr).to.contain("holder").and.to.contain("name conflicts");
      const port = await create("other", "-p", "8099:80", image);
      expect(port.code).to.equal(1);
      expect(port.stderr).to.contain("8099").and.to.contain("holder");
      await remove("holder");
    });

    it("says why no node takes it, with an exit code of its own", async () => {
      const { code, stderr } = await create("large", "--reserve-memory", "1000g", image);
      expect(code).to.equal(2);
      expect(stderr).to.contain("no suitable node (insufficient resources on 2 nodes)");
      await remove("large");
    });

    it("says what is wrong with an unknown image, keeps trying, and recovers by an update", async () => {
      const missing = image.replace("busybox", "nothing");
      const { code, stderr } = await create("absent", "--timeout", "2s", missing);
      expect(code, stderr).to.be.oneOf([1, 124]);
      expect(stderr).to.contain("nothing");
      const tasks = await tasksOf("absent");
      expect(
        tasks.some((task) => (task.Status.Err ?? task.Status.Message ?? "").includes("nothing")),
      ).to.equal(true);
      await manager.mustMuster(
        "service",
        "update",
        "--image",
        image,
        "--args",
        "sleep 1000",
        "absent",
      );
      expect((await runningTasks(manager, "absent")).length).to.equal(1);
      await remove("absent");
    });

    it("says that the registry is down, and goes on when it is up", async () => {
      const elsewhere = image.replace(`:${REGISTRY_PORT}`, ":5009");
      await create("down", "-d", "--no-resolve-image", elsewhere, "sleep", "1000");
      await eventually(
        "the task says so",
        async () => {
          const said = (await tasksOf("down")).map(
            (task) => `${task.Status.Err ?? ""} ${task.Status.Message ?? ""}`,
          );
          return said.some((text) => text.includes("5009"));
        },
        SLOW_MS,
      );
      await remove("down");
    });
  });

  it("works the same from the stock docker command line", async () => {
    const cli = await debianDockerCli();
    const docker = async (...args: string[]) => {
      const command = [cli, "-H", `unix://${manager.socket}`, ...args];
      const { code, stdout, stderr } = await cluster.lab.exec(manager.host, command);
      expect(code, `docker ${args.join(" ")}: ${stderr}`).to.equal(0);
      return stdout.trim();
    };
    expect(
      await docker("node", "ls", "--format", "{{.Hostname}} {{.Status}} {{.ManagerStatus}}"),
    ).to.equal("h1 Ready Leader\nh2 Ready");
    await docker(
      "service",
      "create",
      "--name",
      "stock",
      "--replicas",
      "2",
      "-p",
      "8098:80",
      image,
      "sleep",
      "1000",
    );
    expect(
      await docker("service", "ls", "--format", "{{.Name}} {{.Replicas}} {{.Ports}}"),
    ).to.equal("stock 2/2 *:8098->80/tcp");
    expect(
      (await docker("service", "ps", "stock", "--format", "{{.Name}} {{.DesiredState}}")).split(
        "\n",
      ).length,
    ).to.equal(2);
    await docker("service", "scale", "stock=3");
    await docker("service", "inspect", "--pretty", "stock");
    await docker("info");
    await docker("service", "rm", "stock");
    await eventually("its tasks are gone", async () => (await allTasks()).length === 0, SLOW_MS);
  });
});

function containerId(status: string): string {
  return /"ContainerID":"(\w+)"/.exec(status)?.[1] ?? "";
}
