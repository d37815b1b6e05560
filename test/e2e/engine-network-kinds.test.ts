import { expect } from "chai";
import { type EngineHost, startEngineHost } from "../support/engine/engine-host.ts";

const SLEEP = ["busybox", "sleep", "1000"];

describe("e2e: kinds of networks and what they hold", function () {
  this.timeout(120_000);
  let host: EngineHost;

  before(async () => {
    host = await startEngineHost("e2ekinds");
  });
  after(async () => host?.close());

  const docker = (...args: string[]) => host.mustDocker(...args);
  const inspect = (format: string, name: string) => docker("inspect", "-f", format, name);
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
  /** What a command says in the network of a container. */
  const said = async (name: string, ...command: string[]) => {
    const id = await docker("run", "-d", "--network", `container:${name}`, "busybox", ...command);
    const code = await docker("wait", id);
    const { stdout, stderr } = await host.docker("logs", id);
    await docker("rm", id);
    return { code, text: stdout + stderr };
  };
  const pings = async (name: string, address: string) =>
    (await said(name, "ping", "-c", "1", "-W", "1", address)).code === "0";

  it("of the machine, none and the default bridge are shown as Docker shows them", async () => {
    for (const network of ["host", "none"]) {
      const id = await docker("run", "-d", "--network", network, "--name", network, ...SLEEP);
      const shown = JSON.parse(
        await docker("network", "inspect", "-f", "{{json .Containers}}", network),
      );
      expect(shown[id]).to.deep.include({ Name: network, IPv4Address: "" });
      const endpoint = `{{(index .NetworkSettings.Networks "${network}").EndpointID}}`;
      expect(await inspect(endpoint, network)).to.match(/^[0-9a-f]{64}$/);
      expect(shown[id].EndpointID).to.equal(await inspect(endpoint, network));
      await inside(network, "ip", "link");
      await docker("rm", "-f", network);
      expect(await docker("network", "inspect", "-f", "{{len .Containers}}", network)).to.equal(
        "0",
      );
    }
    const name = '{{index .Options "com.docker.network.bridge.name"}}';
    await docker("run", "--rm", "busybox", "true");
    const link = await docker("network", "inspect", "-f", name, "bridge");
    await onHost("ip", "link", "show", link);
  });

  it("is left by a container that cannot start because the network is gone", async () => {
    await docker("network", "create", "brief");
    await docker("create", "--name", "stuck", "--network", "brief", ...SLEEP);
    await docker("network", "rm", "brief");
    expect(await host.failDocker("start", "stuck")).to.contain("network brief not found");
    await docker("network", "connect", "bridge", "stuck");
    await docker("network", "disconnect", "brief", "stuck");
    await docker("start", "stuck");
    await docker("rm", "-f", "stuck");
  });

  it("shares a link of the machine in a macvlan network", async () => {
    await onHost("ip", "link", "add", "lan0", "type", "veth", "peer", "name", "far0");
    for (const link of ["lan0", "far0"]) await onHost("ip", "link", "set", link, "up");
    const create = ["network", "create", "-d", "macvlan", "--subnet", "10.81.0.0/24"];
    expect(await host.failDocker(...create, "-o", "parent=nosuch", "lan")).to.contain("no link");
    await docker(...create, "-o", "parent=lan0", "lan");
    const run = ["run", "-d", "--network", "lan"];
    await docker(...run, "--name", "lan1", "--ip", "10.81.0.9", ...SLEEP);
    await docker(...run, "--name", "lan2", ...SLEEP);
    expect(await pings("lan2", "10.81.0.9")).to.equal(true);
    expect((await said("lan2", "ping", "-c", "1", "-W", "2", "lan1")).code).to.equal("0");
    expect(await inside("lan2", "ip", "route")).to.contain("default via 10.81.0.1 dev eth0");
    await docker("network", "disconnect", "lan", "lan2");
    expect(await inside("lan2", "ip", "-o", "link")).to.not.contain("eth0");
    await docker("rm", "-f", "lan1", "lan2");
    await docker("network", "rm", "lan");
  });

  it("shares a link that leads nowhere in a macvlan network that is internal", async () => {
    const create = ["network", "create", "-d", "macvlan", "-o", "macvlan_mode=bridge"];
    await docker(...create, "--internal", "-o", "parent=lan0", "shut");
    for (const name of ["shut1", "shut2"])
      await docker("run", "-d", "--name", name, "--network", "shut", ...SLEEP);
    const address = "{{.NetworkSettings.Networks.shut.IPAddress}}";
    expect(await pings("shut2", await inspect(address, "shut1"))).to.equal(true);
    expect(await inside("shut2", "ip", "route")).to.not.contain("default");
    await docker("rm", "-f", "shut1", "shut2");
    await docker("network", "rm", "shut");
    expect(await onHost("ip", "-o", "link")).to.not.match(/ mp\w+@/);
  });

  it("is told what the kernel has not of ipvlan and VLANs, or has it", async () => {
    const create = ["network", "create", "-o", "parent=lan0"];
    const lack = async (kind: string, ...args: string[]) => {
      const { code, stderr } = await host.docker(...args, kind);
      if (code === 0) await docker("network", "rm", kind);
      else expect(stderr).to.contain(`this machine's kernel has no ${kind} links: load its module`);
      expect(await docker("network", "ls", "-q", "-f", `name=${kind}`)).to.equal("");
    };
    await lack("ipvlan", ...create, "-d", "ipvlan", "-o", "ipvlan_mode=l3");
    await lack("vlan", ...create.slice(0, 2), "-o", "parent=lan0.10", "-d", "macvlan");
    expect(await onHost("ip", "-o", "link")).to.not.contain("lan0.10");
    const bad = [...create, "-d", "ipvlan", "-o", "ipvlan_mode=l4", "bad"];
    expect(await host.failDocker(...bad)).to.contain("requested ipvlan mode 'l4' is not valid");
    await onHost("ip", "link", "delete", "lan0");
  });

  it("take settings from one that is no network itself", async () => {
    const settings = ["--subnet", "10.95.0.0/24", "--label", "team=b"];
    await docker("network", "create", "--config-only", ...settings, "cfg");
    expect(await docker("network", "prune", "-f", "--filter", "label=team=b")).to.equal("");
    await docker("network", "create", "--config-from", "cfg", "taken");
    const format = "{{.ConfigFrom.Network}} {{.Labels.team}} {{(index .IPAM.Config 0).Subnet}}";
    expect(await docker("network", "inspect", "-f", format, "taken")).to.equal(
      "cfg b 10.95.0.0/24",
    );
    expect(await host.failDocker("run", "--rm", "--network", "cfg", "busybox", "true")).to.contain(
      "cannot create endpoint on configuration-only network",
    );
    expect(await host.failDocker("network", "rm", "cfg")).to.contain("is in use");
    await docker("network", "rm", "taken");
    await docker("network", "rm", "cfg");
  });
});
