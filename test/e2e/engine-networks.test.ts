import { expect } from "chai";
import { type EngineHost, startEngineHost } from "../support/engine/engine-host.ts";
import { eventually } from "../support/eventually.ts";

const DONE_MS = 20_000;
const ECHO_PORT = 8099;
/** Answers each request with the address it came from. */
const ECHO_ADDRESS = `require("node:http").createServer((ask, answer) => answer.end(
  ask.socket.remoteAddress.replace("::ffff:", ""))).listen(${ECHO_PORT})`;
const SLEEP = ["busybox", "sleep", "1000"];

describe("e2e: networks of one machine by the stock docker command line", function () {
  this.timeout(120_000);
  let host: EngineHost;

  before(async () => {
    host = await startEngineHost("e2enets");
  });
  after(async () => host?.close());

  const docker = (...args: string[]) => host.mustDocker(...args);
  const inspect = (format: string, name: string) => docker("inspect", "-f", format, name);
  const addressOf = (name: string) => inspect("{{.NetworkSettings.IPAddress}}", name);
  const onHost = async (...command: string[]) => {
    const { code, stdout, stderr } = await host.cluster.lab.exec(host.node.host, command);
    expect(code, `${command.join(" ")}\n${stdout}${stderr}`).to.equal(0);
    return stdout;
  };
  /** In a container's network namespace, as seen from outside. */
  const inside = async (name: string, ...command: string[]) =>
    onHost(
      "nsenter",
      `--net=${await inspect("{{.NetworkSettings.SandboxKey}}", name)}`,
      ...command,
    );
  /** Ports of bridges, and tables, that single containers' networks have. */
  /** What a command says in the network of a container. */
  const said = async (name: string, ...command: string[]) => {
    const id = await docker("run", "-d", "--network", `container:${name}`, "busybox", ...command);
    const code = await docker("wait", id);
    const { stdout, stderr } = await host.docker("logs", id);
    await docker("rm", id);
    return { code, text: stdout + stderr };
  };
  const pings = async (name: string, address: string) =>
    (await said(name, "ping", "-c", "1", "-W", "2", address)).code === "0";
  const gatewayOf = (name: string) => inspect("{{.NetworkSettings.Gateway}}", name);
  const ports = async () => (await onHost("ip", "-o", "link")).match(/ mv[0-9a-f]{12}[@:]/g) ?? [];

  describe("the default bridge", () => {
    it("gives a container an address, a way out and names", async () => {
      await docker("run", "-d", "--name", "one", ...SLEEP);
      const [address, gateway, prefix] = (
        await inspect(
          "{{.NetworkSettings.IPAddress}} {{.NetworkSettings.Gateway}} {{.NetworkSettings.IPPrefixLen}}",
          "one",
        )
      ).split(" ");
      expect(address).to.match(/^(172|192)\./);
      expect(await inspect("{{.HostConfig.NetworkMode}}", "one")).to.equal("bridge");
      expect(await inspect("{{.NetworkSettings.Networks.bridge.IPAddress}}", "one")).to.equal(
        address,
      );
      const links = await inside("one", "ip", "-o", "-4", "address", "show", "eth0");
      expect(links).to.contain(`inet ${address}/${prefix} `);
      expect(await inside("one", "ip", "route")).to.contain(`default via ${gateway} dev eth0`);
      expect(await pings("one", gateway ?? "")).to.equal(true);
      const hosts = await onHost("cat", await inspect("{{.HostsPath}}", "one"));
      expect(hosts).to.contain(`${address}\t${(await inspect("{{.Id}}", "one")).slice(0, 12)}`);
      const resolvers = await onHost("cat", await inspect("{{.ResolvConfPath}}", "one"));
      expect(resolvers).to.match(/^nameserver (?!127\.)/m);
    });

    it("joins containers with each other and hides them from outside behind the host's address", async () => {
      await docker("run", "-d", "--name", "two", ...SLEEP);
      expect(await addressOf("two")).to.not.equal(await addressOf("one"));
      expect(await pings("two", await addressOf("one"))).to.equal(true);
      const { outside, lab } = host.cluster;
      const server = lab.spawn(outside, [process.execPath, "-e", ECHO_ADDRESS]);
      try {
        const url = `http://${outside.ip}:${ECHO_PORT}/`;
        const seen = async () =>
          inside("two", "curl", "-sS", "-m", "5", "--retry", "5", "--retry-connrefused", url);
        expect(await seen()).to.equal(host.node.host.ip);
        await docker("run", "-d", "--name", "web", "busybox", "httpd", "-f", "-h", "/etc");
        const route = ["ip", "route", "add", await addressOf("web"), "via", host.node.host.ip];
        expect((await lab.exec(outside, route)).code).to.equal(0);
        const call = ["curl", "-sS", "-m", "2", `http://${await addressOf("web")}/hostname`];
        await eventually(
          "it answers this machine",
          async () => (await lab.exec(host.node.host, call)).code === 0,
          DONE_MS,
        );
        expect((await lab.exec(outside, call)).code, "from outside").to.equal(28);
      } finally {
        server.kill("SIGKILL");
      }
      await docker("rm", "-f", "web");
      await docker("rm", "-f", "two");
    });

    it("and its containers live through kill -9 of the daemon; what nobody has is removed", async () => {
      const address = await addressOf("one");
      await docker("run", "-d", "--name", "gone", "busybox", "sleep", "1000");
      const pid = await inspect("{{.State.Pid}}", "gone");
      const bridge = /(mbr\w+)/.exec(await onHost("ip", "-o", "link"))?.[1] ?? "";
      await host.node.kill("SIGKILL");
      await onHost("kill", "-9", pid);
      await onHost("ip", "link", "add", "stray0", "type", "veth", "peer", "name", "stray1");
      await onHost("ip", "link", "set", "stray0", "master", bridge);
      await host.node.start();
      expect(await addressOf("one")).to.equal(address);
      expect(await pings("one", await gatewayOf("one"))).to.equal(true);
      expect(await addressOf("gone")).to.equal("");
      await eventually("only one port is left", async () => (await ports()).length === 1, DONE_MS);
      expect(await onHost("ip", "-o", "link")).to.not.contain("stray0");
      await docker("start", "gone");
      expect(await addressOf("gone")).to.match(/^(172|192)\./);
      await docker("rm", "-f", "gone");
    });

    it("gives a container that is started again a network that works", async () => {
      await docker("restart", "-t", "0", "one");
      expect(await pings("one", await gatewayOf("one"))).to.equal(true);
      await docker("run", "-d", "--name", "guest", "--network", "container:one", ...SLEEP);
      await docker("rm", "-f", "guest");
    });

    it("has nothing left of a container that is removed", async () => {
      await docker("rm", "-f", "one");
      await eventually("no port is left", async () => (await ports()).length === 0, DONE_MS);
    });

    it("is said to be missing when there is no network of that name", async () => {
      const said = await host.failDocker("run", "-d", "--network", "nosuch", ...SLEEP);
      expect(said).to.contain("network nosuch not found");
    });
  });
});
