import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { WireNode } from "../../cli/client/wire.ts";
import { newRootCa } from "../../manager/ca/certificates.ts";
import { FAREWELL_MS, JOIN_RATE } from "../../manager/rpc/limits.ts";
import { type Cluster, formSwarm, runningTasks, startDaemons } from "../support/cluster/cluster.ts";
import type { TestNode } from "../support/cluster/test-node.ts";
import { WallClock } from "../support/cluster/wall-clock.ts";
import { debianDockerCli } from "../support/docker-cli.ts";
import { eventually } from "../support/eventually.ts";
import { failureOf } from "../support/failure-of.ts";
import { busyboxImage } from "../support/image-builder.ts";
import { processesNaming } from "../support/processes.ts";

const SLOW_MS = 30_000;
const REPLICAS = 4;
/** A file's name. */
const GIVEN_KEY = "own-key.pem";

interface Info {
  readonly Swarm: {
    readonly NodeID: string;
    readonly LocalNodeState: string;
    readonly Error: string;
    readonly Cluster: { readonly RootRotationInProgress: boolean };
  };
}

describe("e2e: the swarm's certificates", function () {
  this.timeout(120_000);
  let clock: WallClock;
  let cluster: Cluster;
  let first: TestNode;
  let second: TestNode;
  let third: TestNode;
  let worker: TestNode;
  let newcomer: TestNode;
  let members: readonly TestNode[];
  let cli: string;
  /** Processes of the containers and daemons as they were at the beginning. */
  let containers: readonly number[];

  before(async () => {
    const archive = await busyboxImage();
    cli = await debianDockerCli();
    clock = await WallClock.make();
    cluster = await startDaemons({ name: "e2eca", managers: 3, workers: 2, env: clock.env });
    [first, second, third, worker, newcomer] = cluster.nodes as [
      TestNode,
      TestNode,
      TestNode,
      TestNode,
      TestNode,
    ];
    members = [first, second, third, worker];
    await formSwarm({ ...cluster, nodes: members, workers: [worker] });
    // It will be off for a while, which is no matter of its tasks.
    await first.mustMuster("node", "update", "--availability", "drain", "h3");
    await Promise.all(members.map((node) => node.mustMuster("image", "load", "-i", archive)));
    await first.mustMuster(
      ...["service", "create", "--name", "web", "--no-resolve-image", "--replicas", `${REPLICAS}`],
      ...["busybox:latest", "sleep", "1000000"],
    );
    containers = await processes();
  });
  after(async () => {
    await cluster?.close();
    clock?.close();
  });

  const docker = async (node: TestNode, ...args: string[]) =>
    cluster.lab.exec(node.host, [cli, "-H", `unix://${node.socket}`, ...args]);
  const mustDocker = async (node: TestNode, ...args: string[]) => {
    const { code, stdout, stderr } = await docker(node, ...args);
    expect(code, `docker ${args.join(" ")}: ${stderr}`).to.equal(0);
    return stdout.trim();
  };
  const refusal = async (node: TestNode, ...args: string[]) => {
    const { code, stdout, stderr } = await node.muster(...args);
    // A flag that is always refused makes the command line wrong, not what it asks for.
    const expected = args.includes("--external-ca") ? 125 : 1;
    expect(code, `muster ${args.join(" ")} succeeded: ${stdout}`).to.equal(expected);
    return stderr.trim();
  };
  /** First processes of the service's containers. */
  const processes = async () => {
    const pid = /"PID":(\d+)/;
    const tasks = await runningTasks(first, "web");
    return tasks.map(({ Status }) => Number(pid.exec(JSON.stringify(Status))?.[1])).sort();
  };
  const infoOf = (node: TestNode) => node.api().get<Info>("/info");
  const nodesSeen = (by = first) => by.api().get<WireNode[]>("/nodes");
  const allReady = (by = first) =>
    eventually(
      "all nodes are ready",
      async () => {
        const nodes = await nodesSeen(by).catch(() => []);
        return (
          nodes.filter(({ Status }) => Status.State === "ready").length === members.length &&
          nodes.filter((node) => node.ManagerStatus?.Reachability === "reachable").length === 3
        );
      },
      SLOW_MS,
    );
  const token = (role: "worker" | "manager") => first.mustMuster("swarm", "join-token", "-q", role);
  const joinRefusal = (text: string) =>
    refusal(newcomer, "swarm", "join", "--token", text, `${first.host.ip}:2377`);
  const file = (name: string, text: string) => {
    const path = join(cluster.folder, name);
    writeFileSync(path, text);
    return path;
  };
  /** What the API says, whatever it says. */
  const answer = (node: TestNode, path: string) =>
    node.api().get(path).then(JSON.stringify, String);
  /** When the log says so, by the wall clock of the daemons. */
  const timesOf = (node: TestNode, text: string) =>
    readFileSync(node.logFile, "utf8")
      .split("\n")
      .filter((line) => line.includes(text))
      .map((line) => Date.parse((JSON.parse(line) as { readonly time: string }).time));
  const linesOf = (node: TestNode, text: string) => timesOf(node, text).length;

  it("are shown by both command lines alike", async () => {
    const root = await first.mustMuster("swarm", "ca");
    expect(new X509Certificate(root).subject).to.equal("CN=swarm-ca");
    expect(await mustDocker(second, "swarm", "ca")).to.equal(root);
    const format = ["node", "ls", "--format", "{{.TLSStatus}}"];
    expect(await first.mustMuster(...format)).to.equal("Ready\nReady\nReady\nReady");
    expect(await mustDocker(first, ...format)).to.equal("Ready\nReady\nReady\nReady");
  });

  it("are not changed by mistakes", async () => {
    const before = await first.mustMuster("swarm", "ca");
    const { certPem } = await newRootCa(clock.nowMs());
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const cert = file("cert.pem", certPem);
    const otherKey = file("key.pem", `${privateKey.export({ type: "pkcs8", format: "pem" })}`);
    const junk = file("junk.pem", "junk");
    const external = "protocol=cfssl,url=https://ca.example";
    const mistakes: readonly [string[], RegExp][] = [
      [["ca", "--ca-cert", cert], /requires the `--rotate` flag/],
      [["ca", "--rotate", "--ca-cert", cert], /requires that a --ca-key flag be provided/],
      [["ca", "--rotate", "--ca-cert", cert, "--ca-key", otherKey], /key is not the certificate's/],
      [["ca", "--rotate", "--ca-cert", junk, "--ca-key", otherKey], /holds no certificate in PEM/],
      [["ca", "--rotate", "--ca-cert", cert, "--ca-key", junk], /its key is unreadable/],
      [["ca", "--rotate", "--ca-cert", "/none", "--ca-key", junk], /cannot read \/none \(ENOENT\)/],
      [["ca", "--rotate", "--cert-expiry", "30m"], /minimum certificate expiry time is: 1h0m0s/],
      [["ca", "--rotate", "--external-ca", external], /cannot use an external CA/],
      [["update", "--external-ca", external], /cannot use an external CA/],
    ];
    for (const [args, expected] of mistakes)
      expect(await refusal(first, "swarm", ...args)).to.match(expected);
    const { code, stderr } = await docker(first, "swarm", "update", "--external-ca", external);
    expect(code).to.equal(1);
    expect(stderr).to.contain("cannot use an external CA");
    expect(await first.mustMuster("swarm", "ca")).to.equal(before);
  });

  it("refuse an outdated token at once, and disturb no member", async () => {
    const old = await token("worker");
    const next = await mustDocker(first, "swarm", "join-token", "--rotate", "-q", "worker");
    expect(next)
      .to.equal(await token("worker"))
      .and.to.not.equal(old);
    expect(await joinRefusal(old)).to.contain("invalid join token: the swarm does not know");
    await allReady();
    expect(await processes()).to.deep.equal(containers);
  });

  it("move to another root while everything runs", async () => {
    const [old, oldToken] = [await first.mustMuster("swarm", "ca"), await token("worker")];
    const { code, stdout, stderr } = await first.muster("swarm", "ca", "--rotate");
    expect(code, stderr).to.equal(0);
    expect(stderr).to.match(/of 4 nodes have a certificate of the new CA; waiting for .*h/);
    expect(stderr).to.match(/4 of 4 nodes trust the new CA alone\s*$/);
    expect(stdout.trim())
      .to.equal(await first.mustMuster("swarm", "ca"))
      .and.to.not.equal(old);
    expect(await joinRefusal(oldToken)).to.match(/remote CA does not match fingerprint/);

    const quiet = await docker(second, "swarm", "ca", "--rotate", "--quiet");
    expect(quiet.code, quiet.stderr).to.equal(0);
    expect(quiet.stderr).to.equal("");
    const shown = await docker(second, "swarm", "ca", "--rotate");
    expect(shown.code, shown.stderr).to.equal(0);
    expect(shown.stdout).to.match(/desired root digest: sha256:[0-9a-f]{64}/);
    await allReady();
    expect(await processes()).to.deep.equal(containers);
  });

  it("move to a given root when the node that was off is back", async () => {
    const given = await newRootCa(clock.nowMs());
    const files = ["--ca-cert", file("own.pem", given.certPem)];
    files.push("--ca-key", file(GIVEN_KEY, given.keyPem));
    await first.mustMuster("swarm", "update", "--restart-grace", "2500ms");
    await third.kill("SIGTERM");
    const isDown = ({ Description, Status }: WireNode) =>
      Description?.Hostname === "h3" && Status.State === "down";
    await eventually("h3 is down", async () => (await nodesSeen()).some(isDown), SLOW_MS);
    await first.mustMuster("swarm", "update", "--restart-grace", "0");
    const detached = await first.mustMuster(
      ...["swarm", "ca", "--rotate", ...files, "--cert-expiry", "1h", "--detach"],
    );
    expect(detached).to.equal("");
    await eventually("only h3 has yet to move", async () => {
      const status = await first.mustMuster(
        "node",
        "ls",
        "--format",
        "{{.Hostname}} {{.TLSStatus}}",
      );
      return /^h1 .*\nh2 .*\nh3 Needs Rotation\nh4 /.test(status);
    });
    expect((await infoOf(second)).Swarm.Cluster.RootRotationInProgress).to.equal(true);

    // The same order again is the same move: this time with somebody who waits for its end.
    const waiting = first.muster("swarm", "ca", "--rotate", ...files);
    await third.start();
    const { code, stdout, stderr } = await waiting;
    expect(code, stderr).to.equal(0);
    expect(stderr).to.match(/waiting for h3 \(down: bring it back, or 'muster node rm \w+'\)/);
    expect(stdout).to.contain(given.certPem.trim().split("\n")[1]);
    await allReady();
    expect(await processes()).to.deep.equal(containers);
  });

  it("show their keys to nobody and in no place but the node's own file", async () => {
    const [line = ""] =
      /^[\w+/]{60,}$/m.exec(readFileSync(join(cluster.folder, GIVEN_KEY), "utf8")) ?? [];
    expect(line).to.not.equal("");
    for (const node of members) {
      const { stdout } = await cluster.lab.exec(node.host, [
        ...["grep", "-rlE", "-e", "PRIVATE KEY", "-e", line, node.dataRoot, node.logFile],
      ]);
      expect(stdout.trim()).to.equal(join(node.dataRoot, "swarm/certificates/node.json"));
      const answers = await Promise.all(
        ["/info", "/swarm", "/nodes"].map((path) => answer(node, path)),
      );
      expect(answers.join("")).to.not.contain("PRIVATE KEY").and.to.not.contain(line);
    }
    expect(processesNaming(line)).to.deep.equal([]);
  });

  it("are renewed in time, with no session lost and no daemon restarted", async () => {
    // After the move everybody comes again, which is no matter of renewal.
    const movedMs = Math.max(
      ...members.flatMap((node) => timesOf(node, "the swarm has a new root CA")),
    );
    await eventually(
      "all have come again",
      () =>
        members.every((node) => {
          const lastMs = timesOf(node, "in session with a manager").at(-1) ?? 0;
          return lastMs > movedMs + FAREWELL_MS;
        }),
      SLOW_MS,
    );
    const count = (text: string) => members.map((node) => linesOf(node, text));
    const lost = () => count("lost the manager");
    const renewed = () => count("certificate renewed");
    const [lostBefore, renewedBefore] = [lost(), renewed()];
    const sessionsBefore = linesOf(worker, "in session with a manager");
    // Certificates hold for an hour since the move.
    clock.forward(50 / 60);
    await eventually(
      "every node has renewed",
      () => renewed().every((lines, i) => lines > (renewedBefore[i] ?? 0)),
      SLOW_MS,
    );
    expect(lost()).to.deep.equal(lostBefore);
    // Beyond the end of the old ones: a new connection shows that the new ones are in use.
    clock.forward(20 / 60);
    await worker.kill("SIGTERM");
    await worker.start();
    await eventually(
      "it is in session again",
      () => linesOf(worker, "in session with a manager") > sessionsBefore,
      SLOW_MS,
    );
    await allReady();
    expect(await processes()).to.deep.equal(containers);
  });

  it("are replaced by a proof when they expired while their node was off", async () => {
    await worker.kill("SIGTERM");
    clock.forward(3);
    await worker.start();
    const proofs = () =>
      [first, second, third].reduce(
        (sum, node) => sum + linesOf(node, "renewed an expired certificate"),
        0,
      );
    await eventually("the worker's proof was taken", () => proofs() > 0, SLOW_MS);
    await allReady();
  });

  it("are replaced with an operator's word after longer, and managers help themselves", async () => {
    await Promise.all(members.map((node) => node.kill("SIGTERM")));
    clock.forward(24 * 8);
    await Promise.all(members.map((node) => node.start()));
    const workerError = async () => (await infoOf(worker)).Swarm.Error;
    await eventually(
      "the worker says what is missing",
      async () => (await workerError()).includes("run 'muster node approve"),
      SLOW_MS,
    );
    const command = /run 'muster (node approve \w+)'/.exec(await workerError())?.[1] ?? "";
    await eventually(
      "the command works",
      async () => (await first.muster(...command.split(" "))).code === 0,
      SLOW_MS,
    );
    await eventually(
      "nothing is missing any more",
      async () => (await workerError()) === "",
      SLOW_MS,
    );
    await allReady();
  });

  it("are not for those who try tokens in a hurry", async () => {
    const wrong = (await token("worker")).replace(/.$/, (digit) => (digit === "0" ? "1" : "0"));
    const body = { RemoteAddrs: [`${first.host.ip}:2377`], JoinToken: wrong };
    const said = new Map<string, number>();
    for (let i = 0; i < 2 * JOIN_RATE.burst; i++) {
      const { message } = await failureOf(newcomer.api().post("/swarm/join", body));
      const kind = message.replace(/in \d+ s$/, "in a moment");
      said.set(kind, (said.get(kind) ?? 0) + 1);
    }
    const tooMany = `Error response from daemon: too many requests for a certificate from ${newcomer.host.ip}: try again in a moment`;
    expect([...said.keys()])
      .to.have.length(2)
      .and.to.include(tooMany);
    expect(said.get(tooMany)).to.be.greaterThan(1);
    const right = ["swarm", "join", "--token", await token("worker"), `${first.host.ip}:2377`];
    await eventually(
      "the right one is let in",
      async () => (await newcomer.muster(...right)).code === 0,
    );
  });
});
