import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { WireInfo, WireTask } from "../../cli/client/wire.ts";
import { parseUnlockKey } from "../../manager/ca/unlock-key.ts";
import { type Cluster, runningTasks, startDaemons } from "../support/cluster/cluster.ts";
import type { TestNode } from "../support/cluster/test-node.ts";
import { debianDockerCli } from "../support/docker-cli.ts";
import { eventually } from "../support/eventually.ts";
import { busyboxImage } from "../support/image-builder.ts";

const SLOW_MS = 30_000;
const NAME = "name-nobody-may-read";
const ENV = "value-nobody-may-read";
const KEY = /SWMKEY-1-[A-Za-z0-9+/]{43}/;
const LOCKED = "Swarm is encrypted and needs to be unlocked before it can be used";

/** Files below a folder in which a text stands. */
function filesWith(folder: string, text: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(text));
}

function nodeFile(node: TestNode): string {
  return readFileSync(join(node.dataRoot, "swarm/certificates/node.json"), "utf8");
}

function lockVersion(node: TestNode): number {
  return (JSON.parse(nodeFile(node)) as { lockVersion: number }).lockVersion;
}

async function stateOf(node: TestNode): Promise<string> {
  return (await node.api().get<WireInfo>("/info")).Swarm.LocalNodeState;
}

async function restart(node: TestNode): Promise<void> {
  await node.kill("SIGKILL");
  await node.start();
}

describe("e2e: managers that are locked", function () {
  this.timeout(120_000);
  let cluster: Cluster;
  let first: TestNode;
  let second: TestNode;
  let third: TestNode;
  let docker: string;
  let key: string;

  before(async () => {
    const archive = await busyboxImage();
    docker = await debianDockerCli();
    cluster = await startDaemons({ name: "e2elock", managers: 3, workers: 0 });
    [first, second, third] = cluster.nodes as [TestNode, TestNode, TestNode];
    await second.mustMuster("image", "load", "-i", archive);
  });
  after(async () => cluster?.close());

  /** Gives a command a key by a pipe, as people do. */
  const pipe = (node: TestNode, text: string, ...command: string[]) =>
    cluster.lab.exec(node.host, ["sh", "-c", 'printf "%s\\n" "$KEY" | "$0" "$@"', ...command], {
      env: { ...process.env, KEY: text },
    });
  const unlock = (node: TestNode, text: string) =>
    pipe(node, text, "bin/muster", "-H", `unix://${node.socket}`, "swarm", "unlock");

  const containerOf = async (node: TestNode): Promise<WireTask | undefined> =>
    (await runningTasks(node, NAME))[0];

  it("init --autolock prints the key and how to use it; others join as ever", async () => {
    const flags = ["--autolock", "--advertise-addr", first.host.ip, "--availability", "drain"];
    const words = await first.mustMuster("swarm", "init", ...flags);
    expect(words).to.contain("run the `muster swarm unlock`");
    key = KEY.exec(words)?.[0] ?? "";
    expect(await first.mustMuster("swarm", "unlock-key", "-q")).to.equal(key);
    const token = await first.mustMuster("swarm", "join-token", "-q", "manager");
    for (const node of [second, third]) {
      const own = ["--token", token, "--advertise-addr", node.host.ip];
      await node.mustMuster("swarm", "join", ...own, `${first.host.ip}:2377`);
    }
    await eventually(
      "every manager is under the lock",
      () => cluster.managers.every((node) => lockVersion(node) === 1),
      SLOW_MS,
    );
    const where = ["--constraint", "node.hostname==h2", "--no-resolve-image", "--detach"];
    const env = ["--env", `SECRET=${ENV}`];
    await first.mustMuster(
      ...["service", "create", "--name", NAME, ...where, ...env, "busybox", "sleep", "1000"],
    );
    await eventually("it runs", async () => (await containerOf(first)) !== undefined, SLOW_MS);
  });

  it("keeps nothing readable on a manager's disk: no key, no name, no value", async () => {
    // That the search would find them: the node that runs the task has its variables for the container.
    expect(filesWith(second.dataRoot, ENV)).to.not.deep.equal([]);
    for (const text of [NAME, ENV, "PRIVATE KEY", key, parseUnlockKey(key).toString()])
      expect(filesWith(first.dataRoot, text), text).to.deep.equal([]);
    expect(filesWith(join(second.dataRoot, "swarm/manager"), NAME)).to.deep.equal([]);
    expect(filesWith(join(second.dataRoot, "swarm"), "PRIVATE KEY")).to.deep.equal([]);
  });

  it("after a restart is locked, says so, and leaves the containers alone", async () => {
    const before = await containerOf(first);
    await restart(second);
    expect(await stateOf(second)).to.equal("locked");
    for (const command of [
      ["node", "ls"],
      ["service", "ls"],
      ["swarm", "unlock-key"],
    ]) {
      const { code, stderr } = await second.muster(...command);
      expect([code, stderr.includes(LOCKED)], command.join(" ")).to.deep.equal([1, true]);
    }
    expect((await second.muster("swarm", "init")).stderr).to.contain("already part of a swarm");
    expect((await second.muster("swarm", "leave")).stderr).to.contain("unlock it first");
    const pid = before?.Status.ContainerStatus?.PID ?? 0;
    expect(readFileSync(`/proc/${pid}/cmdline`, "latin1")).to.contain("sleep");
  });

  it("refuses wrong keys, and changes nothing", async () => {
    const before = nodeFile(second);
    const wrong = key.replace(/.$/, (last) => (last === "A" ? "E" : "A"));
    for (const { text, says } of [
      { text: "", says: "invalid key string" },
      { text: key.slice(0, -1), says: "invalid key string" },
      { text: "SWMTKN-1-nonsense", says: "invalid key string" },
      { text: wrong, says: "swarm could not be unlocked: invalid key provided" },
    ]) {
      const { code, stderr } = await unlock(second, text);
      expect([code, stderr], text).to.deep.equal([1, `Error response from daemon: ${says}\n`]);
    }
    expect(nodeFile(second)).to.equal(before);
    expect(await stateOf(second)).to.equal("locked");
    expect(second.logTail(1000)).to.not.contain(key.slice(9, 40));
  });

  it("is unlocked by the right key, and has its tasks as they were", async () => {
    const before = (await first.api().get<WireTask[]>("/tasks")).map((task) => task.ID);
    const { code, stderr } = await unlock(second, key);
    expect([code, stderr]).to.deep.equal([0, ""]);
    await eventually("it is a manager", async () => (await second.muster("node", "ls")).code === 0);
    await eventually("its task runs", async () => (await containerOf(second)) !== undefined);
    const after = (await second.api().get<WireTask[]>("/tasks")).map((task) => task.ID);
    expect(after).to.include.members(before);
    expect((await unlock(second, key)).stderr).to.contain("swarm is not locked");
  });

  it("takes a new key after unlock-key --rotate, also one that was off meanwhile", async () => {
    await third.kill("SIGKILL");
    const old = key;
    key = await first.mustMuster("swarm", "unlock-key", "--rotate", "-q");
    expect(key).to.match(KEY).and.not.equal(old);
    await eventually("the second has it", () => lockVersion(second) === 2, SLOW_MS);
    await third.start();
    expect((await unlock(third, key)).stderr).to.contain("invalid key provided");
    expect((await unlock(third, old)).code).to.equal(0);
    await eventually("the third has it", () => lockVersion(third) === 2, SLOW_MS);
    await restart(third);
    expect((await unlock(third, old)).stderr).to.contain("invalid key provided");
    expect((await unlock(third, key)).code).to.equal(0);
  });

  it("needs no key any more after update --autolock=false", async () => {
    await first.mustMuster("swarm", "update", "--autolock=false");
    expect((await first.muster("swarm", "unlock-key")).stderr).to.contain("no unlock key is set");
    const { stderr } = await first.muster("swarm", "unlock-key", "--rotate");
    expect(stderr).to.contain("cannot rotate because autolock is not turned on");
    await eventually("the third has it", () => lockVersion(third) === 3, SLOW_MS);
    await restart(third);
    await eventually("it is active", async () => (await stateOf(third)) === "active");
    expect(filesWith(join(third.dataRoot, "swarm/manager"), NAME)).to.deep.equal([]);
  });

  it("is driven by the docker command line as well", async () => {
    const run = (...args: string[]) =>
      cluster.lab.exec(third.host, [docker, "-H", `unix://${third.socket}`, ...args]);
    expect((await run("swarm", "update", "--autolock=true")).stdout).to.match(KEY);
    key = (await run("swarm", "unlock-key", "-q")).stdout.trim();
    const rotated = await run("swarm", "unlock-key", "--rotate");
    expect(rotated.stdout).to.contain("Successfully rotated manager unlock key");
    key = KEY.exec(rotated.stdout)?.[0] ?? "";
    await eventually("the third has it", () => lockVersion(third) === 5, SLOW_MS);
    await restart(third);
    expect((await run("info")).stdout).to.contain("Swarm: locked");
    expect((await run("node", "ls")).stderr).to.contain(LOCKED);
    const command = [docker, "-H", `unix://${third.socket}`, "swarm", "unlock"];
    expect((await pipe(third, key, ...command)).code).to.equal(0);
    await eventually("it is a manager", async () => (await run("node", "ls")).code === 0);
  });

  it("can be left by force without the key", async () => {
    await restart(second);
    const { code, stderr } = await second.muster("swarm", "leave", "--force");
    expect(code, stderr).to.equal(0);
    expect(await stateOf(second)).to.equal("inactive");
    expect(readdirSync(second.dataRoot)).to.not.include("swarm");
  });
});
