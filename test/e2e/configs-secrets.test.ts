import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { WireService, WireTask } from "../../cli/client/wire.ts";
import { type Cluster, formSwarm, runningTasks, startDaemons } from "../support/cluster/cluster.ts";
import type { TestNode } from "../support/cluster/test-node.ts";
import { debianDockerCli } from "../support/docker-cli.ts";
import { eventually } from "../support/eventually.ts";
import { failureOf } from "../support/failure-of.ts";
import { busyboxImage } from "../support/image-builder.ts";
import { processesNaming } from "../support/processes.ts";

const SLOW_MS = 30_000;
const PASSWORD = "correct-horse-battery-staple";
const NEXT_PASSWORD = "paper-clip-stapler-lamp";
const CONFIG_BYTES = 1_000_000;
const CREATE = ["service", "create", "--name", "x", "--no-resolve-image"];

describe("e2e: configs and secrets", function () {
  this.timeout(120_000);
  let cluster: Cluster;
  let manager: TestNode;
  let worker: TestNode;
  let cli: string;
  let folder: string;
  let largeHash: string;

  before(async () => {
    const archive = await busyboxImage();
    cli = await debianDockerCli();
    cluster = await startDaemons({ name: "e2esecrets", managers: 1, workers: 1 });
    [manager, worker] = cluster.nodes as [TestNode, TestNode];
    folder = cluster.folder;
    await formSwarm(cluster);
    for (const node of cluster.nodes) await node.mustMuster("image", "load", "-i", archive);
    const large = Buffer.alloc(CONFIG_BYTES, "a line of a large file\n");
    largeHash = createHash("sha256").update(large).digest("hex");
    writeFileSync(join(folder, "large"), large);
    writeFileSync(join(folder, "password"), PASSWORD);
    writeFileSync(join(folder, "next"), NEXT_PASSWORD);
  });
  after(async () => cluster?.close());

  const docker = async (...args: string[]) => {
    const command = [cli, "-H", `unix://${manager.socket}`, ...args];
    const { code, stdout, stderr } = await cluster.lab.exec(manager.host, command);
    return { code, stdout: stdout.trim(), stderr: stderr.trim() };
  };
  const mustDocker = async (...args: string[]) => {
    const { code, stdout, stderr } = await docker(...args);
    expect(code, `docker ${args.join(" ")}: ${stderr}`).to.equal(0);
    return stdout;
  };
  /** Its first process, on whichever node: they all are processes of this machine. */
  const findPid = async (service: string): Promise<number | undefined> => {
    const [task] = await runningTasks(manager, service);
    return task?.Status.ContainerStatus?.PID;
  };
  const pidOf = async (service: string): Promise<number> =>
    (await findPid(service)) ?? expect.fail(`no process of ${service}`);
  const sessions = (): number => manager.logTail(1_000_000).split('"node in session"').length;
  /** A file as the container's first process sees it. */
  const read = async (service: string, path: string) =>
    readFileSync(`/proc/${await pidOf(service)}/root${path}`);
  const holding = async (node: TestNode, needle: string) => {
    const command = ["grep", "-rl", "--", needle, node.dataRoot, node.logFile];
    return (await cluster.lab.exec(node.host, command)).stdout.trim();
  };
  const mountsNaming = (needle: string) =>
    readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .filter((line) => line.includes(needle));

  it("are made, listed, shown and used by the stock docker command line", async () => {
    await mustDocker("config", "create", "-l", "of=test", "large", join(folder, "large"));
    await mustDocker("secret", "create", "password", join(folder, "password"));
    expect(await mustDocker("config", "ls", "--format", "{{.Name}}")).to.equal("large");
    expect(await mustDocker("secret", "ls", "--format", "{{.Name}}")).to.equal("password");
    const shown = await mustDocker("secret", "inspect", "password");
    expect(shown).to.contain('"Name": "password"').and.to.not.contain("Data");
    const data = await mustDocker("config", "inspect", "-f", "{{.Spec.Data}}", "large");
    expect(data.length).to.be.greaterThan(CONFIG_BYTES);

    const config = "source=large,target=/etc/app/large,mode=0444";
    const secret = "source=password,target=pw,uid=33,gid=34,mode=0440";
    await mustDocker(
      ...["service", "create", "--name", "reader", "--no-resolve-image", "--detach=false"],
      ...["--constraint", "node.hostname==h2", "--stop-signal", "SIGKILL"],
      ...["--config", config, "--secret", secret, "busybox:latest"],
      ...["sh", "-c", "stat -c '%u %g %a' /run/secrets/pw; sleep 1000"],
    );
    const large = await read("reader", "/etc/app/large");
    expect(createHash("sha256").update(large).digest("hex")).to.equal(largeHash);
    expect((await read("reader", "/run/secrets/pw")).toString()).to.equal(PASSWORD);
    await eventually("it says whose the file is", async () => {
      return (await mustDocker("service", "logs", "--raw", "reader")) === "33 34 440";
    });
  });

  it("leave nothing on a disk, in a log or on a command line", async () => {
    for (const node of cluster.nodes) {
      // That the search finds what is there: the node's certificate lies in clear.
      expect(await holding(node, "BEGIN CERTIFICATE")).to.not.equal("");
      expect(await holding(node, PASSWORD)).to.equal("");
    }
    expect(await holding(worker, "a line of a large file")).to.equal("");
    expect(processesNaming(PASSWORD)).to.deep.equal([]);
  });

  it("are served by no worker: its socket refuses all that is the swarm's", async () => {
    const { ID: id } = await manager.api().get<{ ID: string }>("/secrets/password");
    const reads = ["/swarm", "/nodes", "/services", "/tasks", "/secrets", "/configs"];
    reads.push(`/secrets/${id}`, "/configs/large", "/nodes/self", "/swarm/unlockkey");
    const writes: [string, object][] = [
      ["/secrets/create", { Name: "x", Data: "eA==" }],
      [`/secrets/${id}/update?version=1`, { Name: "password", Data: "eA==" }],
      ["/configs/create", { Name: "x", Data: "eA==" }],
      ["/services/create", { Name: "x", TaskTemplate: { ContainerSpec: { Image: "x" } } }],
      ["/swarm/update?version=1", {}],
      ["/muster/backup", { Passphrase: "correct horse battery staple" }],
    ];
    const api = worker.api();
    const calls = [
      ...reads.map((path) => () => api.get(path)),
      ...writes.map(
        ([path, body]) =>
          () =>
            api.post(path, body),
      ),
      () => api.delete(`/secrets/${id}`),
      () => api.delete("/configs/large"),
      () => api.delete("/nodes/self"),
    ];
    for (const call of calls) {
      const { code, message } = await failureOf(call());
      expect(message).to.match(/^Error response from daemon: This node is not a swarm manager\. /);
      expect(message).to.contain("Worker nodes can't be used to view or modify cluster state.");
      expect(code).to.equal("Unavailable");
    }
    expect(JSON.stringify(await api.get("/info"))).to.not.contain(PASSWORD);
  });

  it("stay in the container while its daemon is killed, and are there for the next task", async () => {
    const pid = await pidOf("reader");
    const before = sessions();
    await worker.kill("SIGKILL");
    expect(readFileSync(`/proc/${pid}/root/run/secrets/pw`, "utf8")).to.equal(PASSWORD);
    await worker.start();
    await eventually("it is in session again", () => sessions() > before, SLOW_MS);
    expect(await pidOf("reader")).to.equal(pid);
    expect((await read("reader", "/run/secrets/pw")).toString()).to.equal(PASSWORD);
    process.kill(pid, "SIGKILL");
    await eventually(
      "another task reads it",
      async () => ![undefined, pid].includes(await findPid("reader")),
      SLOW_MS,
    );
    expect((await read("reader", "/run/secrets/pw")).toString()).to.equal(PASSWORD);
  });

  it("are exchanged by a rolling update, and may go when no service uses them", async () => {
    await mustDocker("secret", "create", "next", join(folder, "next"));
    const used = await docker("secret", "rm", "password");
    expect(used.code).to.equal(1);
    expect(used.stderr).to.contain("secret 'password' is in use by the following service: reader");
    await mustDocker(
      ...["service", "update", "--detach=false", "--update-monitor", "0s"],
      ...["--secret-rm", "password", "--secret-add", "source=next,target=pw", "reader"],
    );
    expect((await read("reader", "/run/secrets/pw")).toString()).to.equal(NEXT_PASSWORD);
    const [service] = JSON.parse(await mustDocker("service", "inspect", "reader")) as [WireService];
    expect(JSON.stringify(service.Spec)).to.contain('"SecretName":"next"');
    expect(await mustDocker("secret", "rm", "password")).to.equal("password");
  });

  it("leave nothing mounted when the service is gone", async () => {
    await mustDocker("service", "rm", "reader");
    await eventually(
      "its tasks are gone",
      async () => (await manager.api().get<WireTask[]>("/tasks")).length === 0,
      SLOW_MS,
    );
    await eventually(
      "nothing is mounted",
      () => mountsNaming(`${folder}/h2/run/containers`).length === 0,
    );
    await mustDocker("secret", "rm", "next");
    await mustDocker("config", "rm", "large");
    expect(await mustDocker("config", "ls", "-q")).to.equal("");
  });

  it("are the same from muster's own command line", async () => {
    const site = join(folder, "site");
    writeFileSync(site, "listen 80;\n");
    const id = await manager.mustMuster("config", "create", "--label", "tier=front", "site", site);
    await manager.mustMuster("secret", "create", "key", join(folder, "password"));
    expect(
      await manager.mustMuster(
        "config",
        "ls",
        "-f",
        "label=tier=front",
        "--format",
        "{{.ID}} {{.Name}}",
      ),
    ).to.equal(`${id} site`);
    expect(await manager.mustMuster("config", "inspect", "--pretty", "site")).to.contain(
      "Data:\nlisten 80;",
    );
    expect(await manager.mustMuster("secret", "inspect", "key")).to.not.contain("Data");
    await manager.mustMuster(
      ...["service", "create", "--name", "mine", "--no-resolve-image", "--stop-signal", "SIGKILL"],
      ...["--config", "source=site,target=/etc/site.conf", "--secret", "key"],
      ...["busybox:latest", "sleep", "1000"],
    );
    expect((await read("mine", "/etc/site.conf")).toString()).to.equal("listen 80;\n");
    expect((await read("mine", "/run/secrets/key")).toString()).to.equal(PASSWORD);
    const refused = await manager.muster("config", "rm", "site");
    expect(refused.code).to.equal(1);
    expect(refused.stderr).to.contain("is in use by the following service: mine");
    await manager.mustMuster("service", "update", "--secret-rm", "key", "mine");
    const pid = await pidOf("mine");
    expect(() => readFileSync(`/proc/${pid}/root/run/secrets/key`)).to.throw("ENOENT");
    await manager.mustMuster("service", "rm", "mine");
    await manager.mustMuster("secret", "rm", "key");
  });

  describe("what cannot be", () => {
    const refused: { name: string; args: string[]; message: string }[] = [
      {
        name: "a service that reads what is not there",
        args: [...CREATE, "--secret", "nope", "busybox"],
        message: "secret not found: nope",
      },
      {
        name: "a file that is not there",
        args: ["config", "create", "x", "/nowhere"],
        message: "cannot read /nowhere (ENOENT)",
      },
      {
        name: "no data",
        args: ["secret", "create", "x", "/dev/null"],
        message: "secret data must be larger than 0 and less than 512000 bytes",
      },
      {
        name: "a secret that is too large",
        args: ["secret", "create", "x", "LARGE"],
        message: "secret data must be larger than 0 and less than 512000 bytes",
      },
      {
        name: "templates",
        args: ["config", "create", "--template-driver", "golang", "x", "LARGE"],
        message: "templating drivers are not supported",
      },
      {
        name: "an external driver",
        args: ["secret", "create", "--driver", "vault", "x"],
        message: "external secret drivers are not supported",
      },
    ];
    for (const { name, args, message } of refused) {
      it(`refuses ${name}`, async () => {
        const words = args.map((word) => (word === "LARGE" ? join(folder, "large") : word));
        const { code, stderr } = await manager.muster(...words);
        expect(code).to.equal(1);
        expect(stderr).to.contain(message);
      });
    }
  });
});
