import { expect } from "chai";
import { type EngineHost, startEngineHost } from "../support/engine/engine-host.ts";
import { ECHO_ADDRESS, ECHO_PORT, OTHER_NAMES, RESOLVE } from "../support/engine/programs.ts";
import { eventually } from "../support/eventually.ts";

const DONE_MS = 20_000;
/** The address in a network of that name. */
const MINE = "{{.NetworkSettings.Networks.mine.IPAddress}}";
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
    (await said(name, "ping", "-c", "1", "-W", "1", address)).code === "0";
  const gatewayOf = (name: string) => inspect("{{.NetworkSettings.Gateway}}", name);
  const resolve = async (from: string, ...names: string[]): Promise<unknown[]> =>
    JSON.parse(await inside(from, process.execPath, "-e", RESOLVE, ...names));
  const ports = async () => (await onHost("ip", "-o", "link")).match(/ mv[0-9a-f]{12}[@:]/g) ?? [];

  describe("there are", () => {
    it("bridge, host and none, which cannot be removed or made again", async () => {
      const names = await docker("network", "ls", "--format", "{{.Name}} {{.Driver}} {{.Scope}}");
      expect(names.split("\n").sort()).to.deep.equal([
        "bridge bridge local",
        "host host local",
        "none null local",
      ]);
      expect(await host.failDocker("network", "rm", "bridge")).to.contain(
        "bridge is a pre-defined network and cannot be removed",
      );
      const said = await host.failDocker("network", "create", "host");
      expect(said).to.contain("operation is not permitted on predefined host network");
      expect(await host.failDocker("inspect", "MISSING")).to.contain("No such object: MISSING");
      const missing = await host.ask("GET /networks/MISSING");
      expect([missing.status, missing.json]).to.deep.equal([
        404,
        { message: "network MISSING not found" },
      ]);
    });

    it("those that somebody makes, with what was asked for", async () => {
      const since = Math.floor(Date.now() / 1000) - 1;
      const options = ["--subnet", "10.97.0.0/16", "--ip-range", "10.97.5.0/24"];
      options.push("--gateway", "10.97.0.254", "--aux-address", "printer=10.97.5.1");
      options.push("--label", "team=a", "-o", "com.docker.network.bridge.name=brmine");
      options.push("-o", "com.docker.network.driver.mtu=1400");
      const id = await docker("network", "create", ...options, "mine");
      expect(id).to.match(/^[0-9a-f]{64}$/);
      expect(await onHost("ip", "-o", "address", "show", "brmine")).to.contain(
        "inet 10.97.0.254/16",
      );
      expect(await onHost("ip", "-o", "link", "show", "brmine")).to.contain("mtu 1400");
      const [shown] = JSON.parse(await docker("network", "inspect", "mine"));
      expect(shown).to.deep.include({
        ...{ Name: "mine", Id: id, Scope: "local", Driver: "bridge", Internal: false },
        ...{ Labels: { team: "a" }, Containers: {} },
      });
      expect(shown.IPAM.Config).to.deep.equal([
        {
          ...{ Subnet: "10.97.0.0/16", IPRange: "10.97.5.0/24", Gateway: "10.97.0.254" },
          AuxiliaryAddresses: { printer: "10.97.5.1" },
        },
      ]);
      const found = async (...filters: string[]) =>
        docker("network", "ls", "-q", "--no-trunc", ...filters.flatMap((one) => ["-f", one]));
      for (const filter of ["name=min", "label=team=a", "type=custom", `id=${id.slice(0, 9)}`])
        expect(await found(filter), filter).to.equal(id);
      expect(await found("driver=bridge", "dangling=true", "scope=local")).to.equal(id);
      expect(await found("label=team=b")).to.equal("");
      expect(await found("scope=swarm")).to.equal("");
      const events = await docker(
        "events",
        "--since",
        `${since}`,
        "--until",
        `${Date.now() / 1000}`,
        "-f",
        "type=network",
      );
      expect(events).to.contain(`network create ${id} (name=mine, type=bridge)`);
    });

    it("none that is in the way of another", async () => {
      const refused = async (...args: string[]) => host.failDocker("network", "create", ...args);
      expect(await refused("mine")).to.contain("network with name mine already exists");
      expect(await refused("--subnet", "10.97.9.0/24", "other")).to.contain(
        "Pool overlaps with other one on this address space",
      );
      expect(await refused("--subnet", "10.96.0.1/16", "other")).to.contain(
        "invalid subnet 10.96.0.1/16: it should be 10.96.0.0/16",
      );
      expect(await refused("-d", "weave", "other")).to.contain('plugin "weave" not found');
      expect(await refused("-o", "com.docker.network.bridge.name=lo", "other")).to.contain(
        "there is a link of that name",
      );
      expect(await docker("network", "ls", "-q")).to.match(/^(\S+\s*){4}$/);
    });
  });

  describe("a container in networks that somebody made", () => {
    it("has the address it asked for, and the network knows it", async () => {
      await docker("network", "create", "--subnet", "10.98.0.0/24", "second");
      const asked = ["--network", "mine", "--ip", "10.97.5.9", "--network-alias", "db"];
      asked.push("--mac-address", "02:00:00:00:00:99", "-p", "127.0.0.1::80");
      for (const one of ["169.254.7.7", "fe80::77"]) asked.push("--link-local-ip", one);
      const program = ["busybox", "httpd", "-f", "-h", "/etc"];
      const id = await docker("run", "-d", "--name", "fixed", ...asked, ...program);
      const { Networks, IPAddress } = JSON.parse(
        await inspect("{{json .NetworkSettings}}", "fixed"),
      );
      expect(IPAddress).to.equal("");
      expect(Networks.mine).to.deep.include({
        ...{ IPAddress: "10.97.5.9", IPPrefixLen: 16, Gateway: "10.97.0.254" },
        ...{ MacAddress: "02:00:00:00:00:99", Aliases: ["db", id.slice(0, 12)] },
        IPAMConfig: { IPv4Address: "10.97.5.9", LinkLocalIPs: ["169.254.7.7", "fe80::77"] },
      });
      const { json } = await host.ask("GET /containers/fixed/json");
      const { mine } = (json as { NetworkSettings: { Networks: Record<string, object> } })
        .NetworkSettings.Networks;
      expect(mine).to.deep.include({
        ...{ Aliases: ["db"], DNSNames: ["fixed", "db", id.slice(0, 12)] },
      });
      const links = await inside("fixed", "ip", "-o", "address", "show", "eth0");
      expect(links).to.contain("inet 10.97.5.9/16");
      expect(links).to.contain("inet 169.254.7.7/16").and.to.contain("inet6 fe80::77/64");
      expect(await inside("fixed", "ip", "route")).to.contain("default via 10.97.0.254 dev eth0");
      const [shown] = JSON.parse(await docker("network", "inspect", "mine"));
      expect(shown.Containers[id]).to.deep.include({
        ...{ Name: "fixed", MacAddress: "02:00:00:00:00:99", IPv4Address: "10.97.5.9/16" },
      });
      expect(await docker("ps", "-q", "--no-trunc", "-f", "network=mine")).to.equal(id);
    });

    it("cannot have what another has, or what no network gives", async () => {
      const run = async (...args: string[]) =>
        host.failDocker("run", "-d", "--rm", ...args, ...SLEEP);
      expect(await run("--network", "mine", "--ip", "10.97.5.9")).to.contain(
        "Address already in use",
      );
      expect(await run("--network", "mine", "--ip", "10.9.0.1")).to.contain(
        "invalid config for network mine: invalid endpoint settings:\nno configured subnet or ip-range contain the IP address 10.9.0.1",
      );
      expect(await run("--network", "mine", "--ip", "10.97.255.255")).to.contain(
        "Address already in use",
      );
      const create = await host.ask("POST /containers/create", {
        Image: "busybox",
        NetworkingConfig: { EndpointsConfig: { bridge: { Aliases: ["a"] } } },
      });
      expect(create.status).to.equal(400);
      const said = await host.failDocker("network", "rm", "mine");
      expect(said).to.contain("network mine has active endpoints");
    });

    it("is connected to others and disconnected while it runs", async () => {
      const port = await docker("port", "fixed", "80");
      const named = ["--driver-opt", "com.docker.network.endpoint.ifname=lan7"];
      named.push("--driver-opt", "com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.tag=7");
      await docker("network", "connect", ...named, "--ip", "10.98.0.7", "second", "fixed");
      expect(
        await inside("fixed", "cat", "/proc/sys/net/ipv4/conf/lan7/tag"),
        "a setting of the interface",
      ).to.equal("7\n");
      expect(await inspect("{{.NetworkSettings.Networks.second.IPAddress}}", "fixed")).to.equal(
        "10.98.0.7",
      );
      expect(await inside("fixed", "ip", "-o", "address", "show", "lan7")).to.contain(
        "inet 10.98.0.7/24",
      );
      const hosts = async () => onHost("cat", await inspect("{{.HostsPath}}", "fixed"));
      expect(await hosts()).to.contain("10.98.0.7\t");
      expect(await host.failDocker("network", "connect", "second", "fixed")).to.contain(
        "is already attached to network",
      );
      await docker("network", "disconnect", "mine", "fixed");
      expect(await inside("fixed", "ip", "-o", "link")).to.not.contain("eth0");
      expect(await inside("fixed", "ip", "route")).to.contain("default via 10.98.0.1 dev lan7");
      expect(await hosts()).to.not.contain("10.97.5.9");
      expect(await docker("port", "fixed", "80"), "the same port").to.equal(port);
      await onHost("curl", "-sS", "-m", "5", `http://${port}/hostname`);
      expect(await host.failDocker("network", "disconnect", "mine", "fixed")).to.contain(
        "is not connected to the network mine",
      );
      await docker("network", "connect", "mine", "fixed");
      expect(await inside("fixed", "ip", "-o", "address", "show", "eth0")).to.contain(
        "inet 10.97.5.",
      );
      await docker("network", "disconnect", "-f", "second", "fixed");
    });

    it("is put into them and taken out by muster's own commands too", async () => {
      const muster = (...args: string[]) => host.node.mustMuster(...args);
      const asked = ["--subnet", "10.80.0.0/24", "--aux-address", "router=10.80.0.2"];
      asked.push("--label", "ours");
      expect(await muster("network", "create", ...asked, "own")).to.match(/^[0-9a-f]{64}$/);
      await muster("network", "connect", "--alias", "other", "own", "fixed");
      const shown = await muster("network", "inspect", "-f", "{{json .Containers}}", "own");
      expect(shown).to.contain("10.80.0.3/24");
      await muster("network", "disconnect", "own", "fixed");
      expect(await muster("network", "prune", "-f", "--filter", "label=ours")).to.equal(
        "Deleted Networks:\nown",
      );
    });

    it("has IPv6 where the network has it", async () => {
      await docker("network", "create", "--ipv6", "--subnet", "fd00:77::/64", "six");
      await docker(
        "run",
        "-d",
        "--name",
        "six1",
        "--network",
        "six",
        "--ip6",
        "fd00:77::9",
        ...SLEEP,
      );
      await docker("run", "-d", "--name", "six2", "--network", "six", ...SLEEP);
      const format = "{{.NetworkSettings.Networks.six.GlobalIPv6Address}}";
      expect(await inspect(format, "six1")).to.equal("fd00:77::9");
      expect(await inside("six1", "ip", "-6", "route")).to.contain(
        "default via fd00:77::1 dev eth0",
      );
      const other = await inspect(format, "six2");
      for (const address of [other, "fd00:77::1"])
        expect(await pings("six1", address), address).to.equal(true);
      expect((await said("six1", "ping", "-6", "-c", "1", "-W", "2", "six2")).code).to.equal("0");
      await docker("network", "connect", "mine", "six2");
      await docker("network", "disconnect", "six", "six2");
      expect(await inside("six2", "ip", "-6", "route")).to.not.contain("default");
      await docker("rm", "-f", "six1", "six2");
      await docker("network", "rm", "six");
    });
  });

  describe("names", () => {
    const addressIn = async (network: string, name: string) =>
      inspect(`{{.NetworkSettings.Networks.${network}.IPAddress}}`, name);

    before(async () => {
      await docker("network", "create", "front");
      await docker("network", "create", "--internal", "back");
      const asked = ["--network", "front", "--network-alias", "cache", "--hostname", "redis"];
      await docker("run", "-d", "--name", "db", ...asked, ...SLEEP);
      const { outside } = host.cluster;
      const dns = ["--dns", outside.ip, "--link", "db:store"];
      await docker("run", "-d", "--name", "app", "--network", "front", ...dns, ...SLEEP);
      await docker(
        "run",
        "-d",
        "--name",
        "apart",
        "--network",
        "back",
        ...dns.slice(0, 2),
        ...SLEEP,
      );
    });

    it("are those of containers in the same network, by name, alias, hostname, id and link", async () => {
      const address = await addressIn("front", "db");
      const id = (await inspect("{{.Id}}", "db")).slice(0, 12);
      const names = ["db", "DB.front", "cache", "redis", id, "store", address];
      expect(await resolve("app", ...names)).to.deep.equal([
        ...names.slice(0, -1).map(() => [address]),
        ["db.front"],
      ]);
      expect(await resolve("db", "app")).to.deep.equal([[await addressIn("front", "app")]]);
      expect(await resolve("db", "store"), "another's link").to.not.deep.equal([[address]]);
    });

    it("lead there from inside, whatever is in the way of port 53", async () => {
      expect((await said("app", "ping", "-c", "1", "-W", "2", "cache")).code).to.equal("0");
      const resolvers = await onHost("cat", await inspect("{{.ResolvConfPath}}", "app"));
      expect(resolvers).to.match(/^nameserver 127\.0\.0\.11$/m);
    });

    it("of others are asked for where the container says, but not without a way out", async () => {
      const { outside, lab } = host.cluster;
      const server = lab.spawn(outside, [process.execPath, "-e", OTHER_NAMES]);
      try {
        await eventually(
          "the other name server answers",
          async () => JSON.stringify(await resolve("app", "example.test")) === '[["192.0.2.7"]]',
          DONE_MS,
        );
        expect(await resolve("apart", "example.test", "db")).to.deep.equal([
          "ESERVFAIL",
          "ESERVFAIL",
        ]);
      } finally {
        server.kill("SIGKILL");
      }
    });

    it("come and go with networks, and with names of containers", async () => {
      await docker("network", "connect", "--alias", "behind", "back", "db");
      expect(await resolve("apart", "db", "behind", "cache")).to.deep.equal([
        [await addressIn("back", "db")],
        [await addressIn("back", "db")],
        "ESERVFAIL",
      ]);
      await docker("rename", "db", "base");
      expect(await resolve("apart", "base", "db")).to.deep.equal([
        [await addressIn("back", "base")],
        "ESERVFAIL",
      ]);
      await docker("network", "disconnect", "back", "base");
      expect(await resolve("apart", "base")).to.deep.equal(["ESERVFAIL"]);
    });

    it("are there for one that comes from the default network", async () => {
      await docker("run", "-d", "--name", "late", ...SLEEP);
      await docker("network", "connect", "front", "late");
      expect((await said("late", "ping", "-c", "1", "-W", "2", "base")).code).to.equal("0");
    });

    it("an internal network has no way out, and networks do not reach each other", async () => {
      expect(await inside("apart", "ip", "route")).to.not.contain("default");
      await inside("apart", "ip", "route", "add", "default", "via", await gatewayIn("back"));
      const others = [host.cluster.outside.ip, await addressIn("front", "base")];
      const seen = await Promise.all(others.map(async (one) => pings("apart", one)));
      expect(seen, "the way out, the other network").to.deep.equal([false, false]);
      await docker("rm", "-f", "apart", "late", "app", "base");
      await docker("network", "rm", "front", "back");
    });

    const gatewayIn = async (network: string) =>
      docker("network", "inspect", "-f", "{{(index .IPAM.Config 0).Gateway}}", network);
  });

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
        const call = ["curl", "-sS", "-m", "1", `http://${await addressOf("web")}/hostname`];
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

    it("and all others live through kill -9 of the daemon; what nobody has is removed", async () => {
      const address = await addressOf("one");
      const ofNetwork = await inspect(MINE, "fixed");
      await docker("create", "--name", "idle", "--network", "mine", ...SLEEP);
      await docker("network", "connect", "second", "idle");
      await docker("network", "disconnect", "mine", "idle");
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
      expect(await inspect(MINE, "fixed")).to.equal(ofNetwork);
      expect(await pings("fixed", "10.97.0.254")).to.equal(true);
      expect(await resolve("fixed", "fixed")).to.deep.equal([[ofNetwork]]);
      await docker("start", "idle");
      const names = "{{range $k, $v := .NetworkSettings.Networks}}{{$k}}{{end}}";
      expect(await inspect(names, "idle")).to.equal("second");
      expect(await inside("idle", "ip", "-o", "address")).to.contain("inet 10.98.0.");
      expect(await addressOf("gone")).to.equal("");
      await eventually(
        "only those that run have ports",
        async () => (await ports()).length === 3,
        DONE_MS,
      );
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

    it("knows by name those it is linked to", async () => {
      await docker("run", "-d", "--name", "fan", "--link", "one:uno", ...SLEEP);
      expect(await docker("exec", "fan", "sh", "-c", "echo $UNO_NAME")).to.equal("/fan/uno");
      const hosts = await onHost("cat", await inspect("{{.HostsPath}}", "fan"));
      expect(hosts).to.match(new RegExp(`^${await addressOf("one")}\tuno [0-9a-f]{12} one$`, "m"));
      expect(await inspect("{{.HostConfig.Links}}", "fan")).to.equal("[/one:/fan/uno]");
      const before = await addressOf("one");
      await docker("restart", "-t", "0", "one");
      expect(await addressOf("one"), "addresses given back come last").to.not.equal(before);
      const after = await onHost("cat", await inspect("{{.HostsPath}}", "fan"));
      expect(after)
        .to.contain(`${await addressOf("one")}\tuno `)
        .and.not.contain(before);
      await docker("rename", "one", "first");
      expect(await inspect("{{.HostConfig.Links}}", "fan")).to.equal("[/first:/fan/uno]");
      await docker("restart", "-t", "0", "fan");
      await docker("rename", "first", "one");
      await docker("rm", "-f", "fan");
    });

    it("goes last of all networks, with nothing left of containers that are removed", async () => {
      await docker("rm", "-f", "fixed", "idle", "one");
      expect(await docker("network", "prune", "-f", "--filter", "label=team=a")).to.contain("mine");
      await docker("network", "rm", "second");
      const links = await onHost("ip", "-o", "link");
      expect(links).to.not.contain("brmine");
      expect((await docker("network", "ls", "-q")).split("\n")).to.have.lengthOf(3);
      await eventually("no port is left", async () => (await ports()).length === 0, DONE_MS);
    });

    it("is said to be missing when there is no network of that name", async () => {
      const said = await host.failDocker("run", "-d", "--network", "nosuch", ...SLEEP);
      expect(said).to.contain("network nosuch not found");
    });
  });
});
