import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { WireService } from "../../cli/client/wire.ts";
import { type Cluster, formSwarm, startDaemons } from "../support/cluster/cluster.ts";
import type { TestNode } from "../support/cluster/test-node.ts";
import { eventually } from "../support/eventually.ts";
import { busyboxImage } from "../support/image-builder.ts";
import type { Lab } from "../support/lab/lab.ts";
import { pushImage } from "../support/push-image.ts";
import { type RunningRegistry, startRegistry } from "../support/registry.ts";

const SLOW_MS = 30_000;
const REGISTRY_PORT = 5000;
const MUTE_PORT = 5001;
/** Accepts connections and says nothing. */
const MUTE_SERVER = 'require("net").createServer(() => {}).listen(Number(process.argv[1]))';
/** Opens many connections: some are silent, some say what is no TLS, some speak TLS and then noise. */
const NOISE_CLIENT = `
const [host, port] = process.argv.slice(1);
const noise = Buffer.alloc(4096, "noise");
let open = 0;
const done = () => --open === 0 && process.exit(0);
for (let i = 0; i < 150; i++) {
  open++;
  const { connect } = require(i % 3 === 2 ? "tls" : "net");
  const options = { host, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ["h2"] };
  const socket = connect(options, () => i % 3 > 0 && socket.write(noise));
  socket.on("error", () => {}).on("close", done).resume();
}
setTimeout(() => process.exit(1), 30_000);
`;

describe("e2e: what a hostile user tries", function () {
  this.timeout(60_000);
  let cluster: Cluster;
  let registry: RunningRegistry;
  let node: TestNode;
  let image: string;
  /** Noise at the managers' port, from outside; it takes a while. */
  let flood: ReturnType<Lab["exec"]>;

  before(async () => {
    const archive = await busyboxImage();
    const flags = ({ ip }: { readonly ip: string }) =>
      [REGISTRY_PORT, MUTE_PORT].flatMap((port) => ["--insecure-registry", `${ip}:${port}`]);
    cluster = await startDaemons({ name: "e2ehostile", managers: 1, workers: 0, flags });
    [node] = cluster.nodes as [TestNode];
    const { ip, netns } = cluster.outside;
    const listen = `${ip}:${REGISTRY_PORT}`;
    registry = await startRegistry({ dir: join(cluster.folder, "registry"), listen, netns });
    image = `${listen}/busybox:test`;
    await pushImage(cluster, archive, image);
  });
  after(async () => {
    await registry?.close();
    await cluster?.close();
  });

  const create = (name: string, ...more: string[]) =>
    node.muster("service", "create", "--name", name, "--stop-signal", "SIGKILL", ...more);
  const shell = (command: string) => cluster.lab.exec(node.host, ["bash", "-c", command]);
  const muster = () => `bin/muster -H unix://${node.socket}`;

  describe("on a node that is in no swarm yet", () => {
    it("cannot start a daemon where no directory can be", async () => {
      const place = join(node.logFile, "data");
      const { code, stderr } = await cluster.lab.exec(node.host, [
        ...["bin/musterd", "--data-root", place, "--exec-root", join(cluster.folder, "x")],
      ]);
      expect(code).to.equal(1);
      expect(stderr.trim().split("\n")).to.have.length(1);
      expect(stderr).to.contain(`the directory ${place} cannot be made (ENOTDIR)`);
    });

    it("cannot make a swarm on networks that cannot be, and none is half made", async () => {
      const wrong = [
        ["--data-path-port", "80"],
        ["--default-addr-pool", "1.2.3.0/33"],
      ];
      for (const flags of wrong) {
        const { code, stderr } = await node.muster("swarm", "init", ...flags);
        expect(code, stderr).to.equal(1);
        expect(stderr).to.contain(flags[1]);
      }
    });
  });

  describe("in a swarm of one", () => {
    before(async () => formSwarm(cluster));

    it("cannot take the swarm's own ports from it", async () => {
      for (const port of ["2377:80", "4789:80/udp", "mode=host,published=2377,target=80"]) {
        const { code, stderr } = await create("thief", "-d", "-p", port, image);
        expect(code).to.equal(1);
        expect(stderr).to.contain("needed by the swarm itself");
      }
      expect(await node.mustMuster("service", "ls", "-q")).to.equal("");
    });

    it("cannot have two services that differ by capitals: DNS could not tell them apart", async () => {
      await create("web", "-d", "--replicas", "0", image);
      expect((await create("WEB", "-d", image)).stderr).to.contain("name conflicts");
      await node.mustMuster("service", "rm", "Web");
    });

    it("cannot keep others from the managers' port by noise and silence", async () => {
      const addr = [node.host.ip, "2377"];
      flood = cluster.lab.exec(cluster.outside, ["node", "-e", NOISE_CLIENT, ...addr]);
      await node.mustMuster("node", "ls");
      await create("meanwhile", "--replicas", "0", image);
      await node.mustMuster("service", "rm", "meanwhile");
    });

    it("waits not for ever for a registry that says nothing", async () => {
      const { ip } = cluster.outside;
      const server = cluster.lab.spawn(cluster.outside, [
        "node",
        "-e",
        MUTE_SERVER,
        `${MUTE_PORT}`,
      ]);
      try {
        const mute = `${ip}:${MUTE_PORT}/busybox:test`;
        const { code, stderr } = await create("mute", "-d", mute);
        expect(code, stderr).to.equal(0);
        expect(stderr).to.contain(`the registry of ${mute} did not answer within`);
      } finally {
        server.kill("SIGKILL");
      }
      await node.mustMuster("service", "rm", "mute");
    });

    it("is thrown out, and the log says who it was", async () => {
      const { code, stderr } = await flood;
      expect(code, `connections were left: ${stderr}`).to.equal(0);
      const said = node.logTail(1_000);
      expect(said).to.contain("a connection came to nothing: no TLS handshake");
      expect(said).to.contain(`"peer":"${cluster.outside.ip}:`);
    });

    it("sees what there is beside what there is not", async () => {
      await create("seen", image, "sleep", "1000");
      const { code, stdout, stderr } = await node.muster("service", "ps", "nothing", "seen");
      expect(code).to.equal(1);
      expect(stdout).to.contain("seen.1");
      expect(stderr).to.contain("service nothing not found");
      const logs = await node.muster("service", "logs", "nothing");
      expect(logs.stderr.trim()).to.equal("no such task or service: nothing");
      await node.mustMuster("service", "rm", "seen");
    });

    it("is told that a rollback it asked for is done, by the exit code too", async () => {
      await create("back", "--update-monitor", "0s", image, "sleep", "1000");
      await node.mustMuster("service", "update", "--env-add", "NEW=1", "back");
      const { code, stderr } = await node.muster("service", "update", "--rollback", "back");
      expect(code, stderr).to.equal(0);
      const [{ Spec }] = JSON.parse(await node.mustMuster("service", "inspect", "back")) as [
        WireService,
      ];
      expect(Spec.TaskTemplate.ContainerSpec.Env).to.equal(undefined);
      await node.mustMuster("service", "rm", "back");
    });

    it("may close the pipe it reads logs from, and follows a removed service to its end", async () => {
      const script = "while true; do echo hello; sleep 0.1; done";
      await create("talk", image, "sh", "-c", script);
      const head = await shell(
        `${muster()} service logs -f talk | head -1; echo "\${PIPESTATUS[*]}"`,
      );
      expect(head.stderr).to.equal("");
      expect(head.stdout.split("\n")[1]).to.equal("0 0");
      const file = join(cluster.folder, "followed");
      const followed = shell(`${muster()} service logs -f talk >${file}`);
      const hasLines = async () => (await readFile(file, "utf8").catch(() => "")).includes("hello");
      await eventually("lines come", hasLines, SLOW_MS);
      await node.mustMuster("service", "rm", "talk");
      expect((await followed).code).to.equal(0);
    });
  });
});
