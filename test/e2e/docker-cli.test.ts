import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { WireTask } from "../../cli/client/wire.ts";
import { type Cluster, formSwarm, startDaemons } from "../support/cluster/cluster.ts";
import type { TestNode } from "../support/cluster/test-node.ts";
import { debianDockerCli } from "../support/docker-cli.ts";
import { eventually } from "../support/eventually.ts";
import { busyboxImage } from "../support/image-builder.ts";
import { pushImage } from "../support/push-image.ts";
import { type RunningRegistry, startRegistry } from "../support/registry.ts";

const REGISTRY_PORT = 5000;
const GONE_MS = 30_000;
/** A newer one than Debian's, on machines where somebody has put it. */
const NEWER_CLI = "/usr/local/bin/docker";

const MANY_FLAGS = [
  ...["--replicas", "2", "--network", "mynet", "--publish", "8088:80", "--label", "l=m"],
  ...["--env", "A=b", "--container-label", "c=d", "--hostname", "named", "--user", "0"],
  ...["--limit-cpu", "0.5", "--limit-memory", "64m", "--limit-pids", "50"],
  ...["--reserve-memory", "16m", "--restart-condition", "any", "--restart-delay", "1s"],
  ...["--update-delay", "1s", "--update-order", "start-first", "--update-monitor", "1s"],
  ...["--update-failure-action", "rollback", "--rollback-parallelism", "1"],
  ...["--stop-grace-period", "1s", "--stop-signal", "KILL", "--health-cmd", "true"],
  ...["--health-interval", "1s", "--constraint", "node.role==manager"],
  ...["--placement-pref", "spread=node.labels.zone", "--replicas-max-per-node", "5"],
  ...["--mount", "type=tmpfs,target=/t", "--host", "h:192.0.2.4", "--dns", "192.0.2.5"],
  ...["--workdir", "/", "--init", "--cap-add", "NET_ADMIN", "--ulimit", "nofile=100"],
];

/** Commands that must succeed after each other, and what they print, if that is known. */
function story(image: string, stackFile: string): readonly [string[], (string | RegExp)?][] {
  const script = "while true; do echo hello; sleep 1; done";
  return [
    [["version"], /Server: Muster/],
    [["info"], /Is Manager: true/],
    [["node", "ls", "--format", "{{.Hostname}} {{.Status}} {{.ManagerStatus}}"], "h1 Ready Leader"],
    [["node", "update", "--label-add", "zone=a", "self"]],
    [["node", "inspect", "--pretty", "self"], /zone=a/],
    [["network", "create", "-d", "overlay", "--subnet", "10.44.0.0/24", "mynet"]],
    [
      ["network", "ls", "--filter", "name=mynet", "--format", "{{.Name}} {{.Scope}}"],
      "mynet swarm",
    ],
    [["network", "inspect", "mynet"], /10\.44\.0\.0\/24/],
    [["service", "create", "-q", "--name", "web", ...MANY_FLAGS, image, "sh", "-c", script]],
    [["service", "ls", "--format", "{{.Name}} {{.Replicas}}"], "web 2/2 (max 5 per node)"],
    [["service", "ps", "web", "--format", "{{.Node}} {{.DesiredState}}"], "h1 Running\nh1 Running"],
    [["node", "ps", "self", "--format", "{{.Node}}"], "h1\nh1"],
    [["service", "inspect", "--pretty", "web"], /Update order: +start-first/],
    [["inspect", "--format", "{{.Spec.Name}}", "web"], "web"],
    [["service", "logs", "--raw", "--tail", "1", "web"], /hello/],
    [["service", "logs", "--tail", "1", "web"], /web\.[12]\.\w+@h1 +\| hello/],
    [["service", "scale", "web=3"]],
    [["service", "update", "-q", "--update-delay", "0s", "--env-add", "X=y", "web"]],
    [["service", "inspect", "--format", "{{.UpdateStatus.State}}", "web"], "completed"],
    [["service", "rollback", "-q", "web"]],
    [["service", "inspect", "--format", "{{.UpdateStatus.State}}", "web"], /^rollback_/],
    [["service", "rm", "web"], "web"],
    [["network", "rm", "mynet"], "mynet"],
    [["stack", "deploy", "-c", stackFile, "st"], /Creating service st_a/],
    [["stack", "services", "st", "--format", "{{.Name}}"], "st_a"],
    [["stack", "rm", "st"]],
    [["swarm", "join-token", "worker"], /docker swarm join --token SWMTKN-1-/],
    [["swarm", "join-token", "-q", "--rotate", "manager"], /^SWMTKN-1-/],
    [["swarm", "ca"], /BEGIN CERTIFICATE/],
    [["swarm", "update", "--task-history-limit", "3"], "Swarm updated."],
  ];
}

describe("e2e: stock docker command lines", function () {
  this.timeout(180_000);
  let cluster: Cluster;
  let registry: RunningRegistry;
  let node: TestNode;
  let image: string;
  let stackFile: string;

  before(async () => {
    const archive = await busyboxImage();
    const flags = ({ ip }: { ip: string }) => ["--insecure-registry", `${ip}:${REGISTRY_PORT}`];
    cluster = await startDaemons({ name: "e2edocker", managers: 1, workers: 0, flags });
    [node] = cluster.nodes as [TestNode];
    const { ip, netns } = cluster.outside;
    const listen = `${ip}:${REGISTRY_PORT}`;
    registry = await startRegistry({ dir: join(cluster.folder, "registry"), listen, netns });
    image = `${listen}/busybox:test`;
    await pushImage(cluster, archive, image);
    await formSwarm(cluster);
    stackFile = join(cluster.folder, "stack.yml");
    const service = `{ image: "${image}", command: sleep 1000, stop_signal: KILL, networks: [inner] }`;
    writeFileSync(
      stackFile,
      `version: "3.8"\nservices:\n  a: ${service}\nnetworks: { inner: {} }\n`,
    );
  });
  after(async () => {
    await registry?.close();
    await cluster?.close();
  });

  const run = async (cli: string, args: readonly string[]) => {
    const command = [cli, "-H", `unix://${node.socket}`, ...args];
    return cluster.lab.exec(node.host, command);
  };

  const clis = [
    { name: "Debian's", find: debianDockerCli, isThere: true },
    { name: NEWER_CLI, find: async () => NEWER_CLI, isThere: existsSync(NEWER_CLI) },
  ];
  for (const { name, find, isThere } of clis) {
    const test = isThere ? it : it.skip;
    test(`${name} works${isThere ? "" : " (skipped: it is not there)"}`, async () => {
      const cli = await find();
      for (const [args, expected] of story(image, stackFile)) {
        const { code, stdout, stderr } = await run(cli, args);
        const what = `docker ${args.join(" ")}\n${stdout}${stderr}`;
        expect(code, what).to.equal(0);
        if (expected instanceof RegExp) expect(stdout, what).to.match(expected);
        else if (expected !== undefined) expect(stdout.trim(), what).to.equal(expected);
      }
      const tasks = () => node.api().get<WireTask[]>("/tasks");
      await eventually("all tasks are gone", async () => (await tasks()).length === 0, GONE_MS);
    });
  }
});
