import { expect } from "chai";
import type { WireNode } from "../../cli/client/wire.ts";
import { type Cluster, findLeader, formSwarm, startDaemons } from "../support/cluster/cluster.ts";
import type { TestNode } from "../support/cluster/test-node.ts";
import { eventually } from "../support/eventually.ts";

/** For a node to take another role: it asks again after 1, 2, 4, 8, 16 s while the managers are still at it. */
const ROLE_MS = 40_000;

/** What a command that must fail said. */
async function refusal(node: TestNode, ...args: string[]): Promise<string> {
  const { code, stderr, stdout } = await node.muster(...args);
  expect(code, `muster ${args.join(" ")} succeeded: ${stdout}`).to.not.equal(0);
  return stderr.trim();
}

describe("e2e: a swarm is joined by those with the right token, and no one else", function () {
  this.timeout(120_000);
  let cluster: Cluster;
  let first: TestNode;
  let second: TestNode;
  let third: TestNode;

  before(async () => {
    cluster = await startDaemons({ name: "e2eswarm", managers: 2, workers: 1 });
    [first, second, third] = cluster.nodes as [TestNode, TestNode, TestNode];
  });
  after(async () => cluster?.close());

  it("says what to do on a node that is in no swarm", async () => {
    expect(await refusal(first, "service", "ls")).to.contain(
      'Use "docker swarm init" or "docker swarm join"',
    );
    expect(await refusal(first, "swarm", "leave")).to.contain("This node is not part of a swarm");
  });

  it("prints the command that joins, and it works as printed", async () => {
    const words = await first.mustMuster("swarm", "init", "--advertise-addr", first.host.ip);
    const command = /muster (swarm join --token \S+ \S+)/.exec(words)?.[1]?.split(" ") ?? [];
    expect(await third.mustMuster(...command)).to.equal("This node joined a swarm as a worker.");
  });

  it("refuses a second init", async () => {
    expect(await refusal(first, "swarm", "init")).to.contain(
      "This node is already part of a swarm",
    );
  });

  it("refuses the last manager's leaving, and says what it would do", async () => {
    expect(await refusal(first, "swarm", "leave")).to.contain(
      "erases all current state of the swarm",
    );
    const id = await first.mustMuster("node", "inspect", "self", "--format", "{{.ID}}");
    expect(await refusal(first, "node", "demote", id)).to.contain("last manager");
    expect(await refusal(first, "node", "rm", "--force", id)).to.contain("manager");
  });

  it("refuses tokens that are cut, mistyped, of another swarm or outdated", async () => {
    const token = await first.mustMuster("swarm", "join-token", "-q", "worker");
    const remote = `${first.host.ip}:2377`;
    const attempt = async (text: string) =>
      refusal(second, "swarm", "join", "--token", text, remote);
    expect(await attempt("SWMTKN-1-abc")).to.contain("invalid join token");
    const foreign = token.replace(
      /^(SWMTKN-1-)(.)/,
      (_, prefix, digit) => prefix + (digit === "0" ? "1" : "0"),
    );
    expect(await attempt(foreign)).to.contain("remote CA does not match fingerprint");
    const wrongSecret = token.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"));
    expect(await attempt(wrongSecret)).to.contain("invalid join token");
    await first.mustMuster("swarm", "join-token", "--rotate", "-q", "worker");
    expect(await attempt(token)).to.contain("invalid join token");
    expect((await first.api().get<WireNode[]>("/nodes")).length).to.equal(2);
  });

  it("says which address did not answer", async () => {
    const token = await first.mustMuster("swarm", "join-token", "-q", "worker");
    const nobody = `${cluster.outside.ip}:2377`;
    expect(await refusal(second, "swarm", "join", "--token", token, nobody)).to.contain(
      `cannot reach a manager at ${nobody}`,
    );
  });

  it("promotes a worker, which then knows the swarm, and demotes it again", async () => {
    const id = await third
      .api()
      .get<{ Swarm: { NodeID: string } }>("/info")
      .then((info) => info.Swarm.NodeID);
    expect(await refusal(third, "node", "ls")).to.contain("This node is not a swarm manager");
    await first.mustMuster("node", "promote", id);
    await eventually(
      "the promoted node answers as a manager",
      async () => (await third.muster("node", "ls")).code === 0,
      ROLE_MS,
    );
    await first.mustMuster("node", "demote", id);
    await eventually(
      "the demoted node is a worker",
      async () => !(await third.isManager()),
      ROLE_MS,
    );
    expect(await refusal(third, "node", "ls")).to.contain("This node is not a swarm manager");
    await eventually("one manager is left", async () => {
      const nodes = await first.api().get<WireNode[]>("/nodes");
      return nodes.filter((node) => node.ManagerStatus !== undefined).length === 1;
    });
  });

  it("finds itself after kill -9", async () => {
    await first.kill("SIGKILL");
    await first.start();
    await eventually("it leads again", async () => (await findLeader(cluster)) === first, 20_000);
    await eventually(
      "both nodes are ready",
      async () => {
        const nodes = await first.api().get<WireNode[]>("/nodes");
        return nodes.length === 2 && nodes.every((node) => node.Status.State === "ready");
      },
      20_000,
    );
  });

  it("lets a worker leave, and be removed", async () => {
    await third.mustMuster("swarm", "leave");
    expect((await third.muster("swarm", "leave")).code).to.equal(1);
    const down = async () => {
      const nodes = await first.api().get<WireNode[]>("/nodes");
      return nodes.find((node) => node.Status.State === "down");
    };
    await eventually("the node that left is down", async () => (await down()) !== undefined);
    await first.mustMuster("node", "rm", (await down())?.ID ?? "");
    expect((await first.api().get<WireNode[]>("/nodes")).length).to.equal(1);
  });
});

describe("e2e: a node is removed while it lives", function () {
  this.timeout(60_000);
  let cluster: Cluster;
  before(async () => {
    cluster = await startDaemons({ name: "e2eremoved", managers: 1, workers: 1 });
    await formSwarm(cluster);
  });
  after(async () => cluster?.close());

  const swarmOf = async (node: TestNode) =>
    (
      await node
        .api()
        .get<{ Swarm: { NodeID: string; LocalNodeState: string; Error: string } }>("/info")
    ).Swarm;

  it("says so and what to do, leaves, and is let in again", async () => {
    const [manager, worker] = cluster.nodes as [TestNode, TestNode];
    const { NodeID: id } = await swarmOf(worker);
    await manager.mustMuster("node", "rm", "--force", id);
    const isRefused = async () => (await swarmOf(worker)).LocalNodeState === "error";
    await eventually("the removed node is in error", isRefused);
    expect((await swarmOf(worker)).Error).to.contain('run "docker swarm leave" here');
    await worker.mustMuster("swarm", "leave");
    expect((await swarmOf(worker)).LocalNodeState).to.equal("inactive");
    const token = await manager.mustMuster("swarm", "join-token", "-q", "worker");
    await worker.mustMuster("swarm", "join", "--token", token, `${manager.host.ip}:2377`);
    expect((await swarmOf(worker)).LocalNodeState).to.equal("active");
  });

  it("becomes a manager and a worker again, as often as is wished", async () => {
    const [manager, worker] = cluster.nodes as [TestNode, TestNode];
    const { NodeID: id } = await swarmOf(worker);
    const isManager = async () =>
      (await worker.api().get<{ Swarm: { ControlAvailable: boolean } }>("/info")).Swarm
        .ControlAvailable;
    for (const round of [1, 2]) {
      await manager.mustMuster("node", "promote", id);
      await eventually(`promoted ${round}`, isManager, 20_000);
      await manager.mustMuster("node", "demote", id);
      await eventually(`demoted ${round}`, async () => !(await isManager()), 20_000);
    }
  });
});

describe("e2e: the daemon says what is in its way", function () {
  this.timeout(60_000);
  let cluster: Cluster;
  before(async () => {
    cluster = await startDaemons({ name: "e2edaemon", managers: 1, workers: 0 });
  });
  after(async () => cluster?.close());

  it("started twice", async () => {
    const node = cluster.nodes[0] as TestNode;
    const { code, stderr } = await cluster.lab.exec(node.host, [
      ...["bin/musterd", "--data-root", `${node.folder}/data`, "--exec-root", `${node.folder}/run`],
    ]);
    expect(code).to.equal(1);
    expect(stderr).to.match(/another musterd \(pid \d+\) uses .*\/data/);
  });

  it("is in session with itself where others reach it through a router", async () => {
    const node = cluster.nodes[0] as TestNode;
    await node.mustMuster("swarm", "init", "--advertise-addr", "192.0.2.1");
    await eventually("the node is ready", async () => {
      const [own] = await node.api().get<WireNode[]>("/nodes");
      return own?.Status.State === "ready" && own.Status.Addr === "192.0.2.1";
    });
    await node.mustMuster("swarm", "ca", "--rotate", "--quiet");
    await node.mustMuster("swarm", "leave", "--force");
  });

  it("forms a swarm of one by itself", async () => {
    await formSwarm(cluster);
    expect(
      await (cluster.nodes[0] as TestNode).mustMuster(
        "node",
        "ls",
        "--format",
        "{{.ManagerStatus}}",
      ),
    ).to.equal("Leader");
  });
});
