import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { type EngineHost, startEngineHost } from "../support/engine/engine-host.ts";
import { eventually } from "../support/eventually.ts";
import type { LabHost } from "../support/lab/lab.ts";

const DONE_MS = 20_000;
/** Answers with its own name and the address that asked. */
const WEB = `mkdir -p /www/cgi-bin && cd /www/cgi-bin &&
printf '#!/bin/sh\\nprintf "Content-Type: text/plain\\\\r\\\\n\\\\r\\\\n%%s" "$NAME $REMOTE_ADDR"' >who &&
chmod +x who && exec busybox httpd -f -h /www`;
/** The same by UDP: argument: its name. */
const UDP_SERVER = `const socket = require("node:dgram").createSocket("udp4");
socket.on("message", (_, from) => socket.send(process.argv[1], from.port, from.address)).bind(5353);`;
/** Asks again and again from one port and prints the answers. Arguments: address and port. */
const UDP_CLIENT = `const socket = require("node:dgram").createSocket("udp4");
const [address, port] = process.argv.slice(1);
socket.on("message", (text) => console.log(String(text))).on("error", () => {}).bind(5999, () =>
  setInterval(() => socket.send("who", Number(port), address), 20));`;
/** Listens; arguments: port and address. */
const LISTENER = `const [port, address] = process.argv.slice(1);
require("node:net").createServer((one) => one.end("HTTP/1.0 200 OK\\r\\n\\r\\nhost")).listen(Number(port), address, () => console.log("on"));`;
const HOME_FROM_THERE = (gateway: string, source: string) => `set -e
echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet
ip address del 127.0.0.1/8 dev lo
ip route add 127.0.0.1 via ${gateway} src ${source}`;

describe("e2e: published ports by the stock docker command line", function () {
  this.timeout(120_000);
  let host: EngineHost;
  const started: ChildProcess[] = [];

  before(async () => {
    host = await startEngineHost("e2eports");
  });
  after(async () => {
    for (const child of started) child.kill("SIGKILL");
    await host?.close();
  });

  const docker = (...args: string[]) => host.mustDocker(...args);
  const run = (name: string, ...flags: string[]) =>
    docker(
      ...["run", "-d", "--name", name, "-e", `NAME=${name}`, ...flags],
      ...["busybox", "sh", "-c", WEB],
    );
  const inspect = (format: string, name: string) => docker("inspect", "-f", format, name);
  const addressOf = (name: string) => inspect("{{.NetworkSettings.IPAddress}}", name);
  const gateway = () => inspect("{{.NetworkSettings.Gateway}}", "web");
  const portsOf = async (name: string) => (await docker("port", name)).split("\n").sort();
  const hostPortOf = async (name: string, port: string) =>
    (await docker("port", name, port)).split(":").at(-1) ?? "";
  const on = async (where: LabHost, ...command: string[]) => {
    const { code, stdout, stderr } = await host.cluster.lab.exec(where, command);
    expect(code, `${command.join(" ")}\n${stdout}${stderr}`).to.equal(0);
    return stdout.trim();
  };
  const onHost = (...command: string[]) => on(host.node.host, ...command);
  /** Words before a command that runs in a container's network namespace. */
  const into = async (name: string) => [
    "nsenter",
    `--net=${await inspect("{{.NetworkSettings.SandboxKey}}", name)}`,
  ];
  const ADDRESS6 = "fd00:56::1";
  const OUTSIDE6 = "fd00:56::2";
  /** Gives the host and the machine outside addresses of IPv6 on the network between them. */
  const addIpv6 = async () => {
    const pairs = [
      [host.node.host, ADDRESS6],
      [host.cluster.outside, OUTSIDE6],
    ] as const;
    for (const [where, address] of pairs) {
      const links = await on(where, "ip", "-o", "-4", "address");
      const line = links.split("\n").find((one) => one.includes(` ${where.ip}/`)) ?? "";
      const link = /^\d+: (\S+)/.exec(line)?.[1] ?? "";
      await on(where, "ip", "-6", "address", "add", `${address}/64`, "dev", link, "nodad");
    }
  };
  const curl = (url: string, seconds: number) =>
    ["curl", "-sS", "-m", `${seconds}`, `http://${url}/cgi-bin/who`] as const;
  /** What answers somebody there; waits until somebody does. */
  const answer = async (where: LabHost, url: string, before: readonly string[] = []) => {
    let last = { code: -1, stdout: "", stderr: "" };
    await eventually(
      `${url} answers`,
      async () => {
        last = await host.cluster.lab.exec(where, [...before, ...curl(url, 5)]);
        return last.code === 0;
      },
      DONE_MS,
    );
    return last.stdout.replace(/\[::ffff:([\d.]+)\]/, "$1");
  };
  /** curl's code when nobody answers: 7 refused, 28 dropped. */
  const silence = async (where: LabHost, url: string, before: readonly string[] = []) =>
    (await host.cluster.lab.exec(where, [...before, ...curl(url, 1)])).code;
  const spawn = (where: LabHost, ...command: string[]) => {
    const child = host.cluster.lab.spawn(where, command, { stdio: ["ignore", "pipe", "ignore"] });
    started.push(child);
    const said = { text: "" };
    child.stdout?.on("data", (data) => {
      said.text += data;
    });
    return { child, said };
  };
  /** A program of the host that listens. */
  const listen = async (port: string, address: string) => {
    const { child, said } = spawn(host.node.host, process.execPath, "-e", LISTENER, port, address);
    await eventually("it listens", () => said.text.includes("on"), DONE_MS);
    return child;
  };
  const tables = () => onHost("nft", "list", "tables");

  it("are those that were asked for: one, any, one of a range, one address", async () => {
    const flags = ["-p", "8080:80", "-p", "80", "-p", "127.0.0.1:8081:80", "-p", "9000-9003:81"];
    await run("web", ...flags, "--expose", "90/udp");
    const lines = await portsOf("web");
    expect(lines).to.have.length(7);
    const random = await hostPortOf("web", "80/tcp").then(Number);
    expect(lines).to.include("80/tcp -> 0.0.0.0:8080");
    expect(lines).to.include("80/tcp -> 127.0.0.1:8081");
    expect(lines).to.include("81/tcp -> 0.0.0.0:9000");
    expect(lines).to.include("80/tcp -> :::8080");
    expect(lines).to.include(`80/tcp -> :::${random}`);
    const any = lines.filter((line) => /:(3[2-9]|[45]\d|60)\d{3}$/.test(line));
    expect(any, lines.join()).to.have.length(2);
    expect(random).to.be.greaterThan(0);
    const ours = await host.node.mustMuster("port", "web");
    const shorter = ours.replaceAll("[::]", "::");
    expect(shorter.split("\n").sort()).to.deep.equal(lines);
    expect(JSON.parse(await inspect("{{json .NetworkSettings.Ports}}", "web"))["81/tcp"]).to.eql([
      { HostIp: "0.0.0.0", HostPort: "9000" },
      { HostIp: "::", HostPort: "9000" },
    ]);
    const shown = await docker("ps", "--format", "{{.Ports}}");
    expect(shown).to.contain("0.0.0.0:8080->80/tcp");
    expect(shown).to.contain(":::8080->80/tcp");
    expect(shown).to.contain("127.0.0.1:8081->80/tcp");
    expect(shown).to.contain("90/udp");
    // By the machine's ports, not the container's.
    expect(await docker("ps", "-q", "--filter", "publish=8080")).to.not.equal("");
    expect(await docker("ps", "-q", "--filter", "publish=80")).to.equal("");
    expect(await docker("ps", "-q", "--filter", "publish=90/udp")).to.equal("");
    expect(await docker("ps", "-q", "--filter", "expose=90/udp")).to.not.equal("");
    expect(await inspect("{{json .HostConfig.PortBindings}}", "web")).to.contain(
      '"81/tcp":[{"HostIp":"","HostPort":"9000-9003"}]',
    );
  });

  it("lead to the container from everywhere", async () => {
    const { outside } = host.cluster;
    const { ip } = host.node.host;
    expect(await answer(outside, `${ip}:8080`), "from outside").to.equal(`web ${outside.ip}`);
    const [random = ""] =
      (await docker("port", "web", "80/tcp")).match(/0\.0\.0\.0:[3-6]\d{4}/) ?? [];
    expect(await answer(outside, random.replace("0.0.0.0", ip))).to.contain("web");
    for (const address of [ip, "127.0.0.1", "127.0.0.5", await gateway()])
      expect(await answer(host.node.host, `${address}:8080`), address).to.contain("web");
    expect(await answer(host.node.host, "127.0.0.1:8081")).to.contain("web");
    await run("other");
    const other = await into("other");
    expect(await answer(host.node.host, `${ip}:8080`, other), "a neighbour").to.contain("web");
    expect(await answer(host.node.host, `${await gateway()}:8080`, other)).to.contain("web");
    const itself = await into("web");
    expect(await answer(host.node.host, `${ip}:8080`, itself), "itself").to.contain("web");
  });

  it("lead there by IPv6 as well, whether the container has it or not", async () => {
    await addIpv6();
    expect(await answer(host.node.host, "[::1]:8080")).to.contain("web");
    expect(await answer(host.cluster.outside, `[${ADDRESS6}]:8080`)).to.contain("web");
    await docker("network", "create", "--ipv6", "--subnet", "fd00:57::/64", "dual");
    await run("six", "--network", "dual", "-p", "8400:80", "-p", "[::1]:8401:80");
    const seen = await answer(host.cluster.outside, `[${ADDRESS6}]:8400`);
    expect(seen, "by rules, so that it sees who asks").to.contain(OUTSIDE6);
    for (const url of [`[${ADDRESS6}]:8400`, "[::1]:8400", "[::1]:8401", "127.0.0.1:8400"])
      expect(await answer(host.node.host, url), url).to.contain("six");
    expect(await silence(host.cluster.outside, `[${ADDRESS6}]:8401`)).to.equal(7);
    const itself = await into("six");
    expect(await answer(host.node.host, `[${ADDRESS6}]:8400`, itself), "itself").to.contain("six");
    expect(await portsOf("six")).to.include("80/tcp -> ::1:8401");
  });

  it("lead to containers of other networks, and follow the way out of one that changes networks", async () => {
    await docker("network", "create", "apart");
    await docker("network", "create", "--internal", "closed");
    await run("there", "--network", "apart", "-p", "8300:80");
    await run("inside", "--network", "closed", "-p", "8301:80");
    const url = `${host.node.host.ip}:8300`;
    expect(await answer(host.cluster.outside, url)).to.contain("there");
    expect(await answer(host.node.host, url, await into("web")), "across").to.contain("there");
    expect(await portsOf("inside")).to.deep.equal([""]);
    await docker("network", "connect", "bridge", "there");
    await docker("network", "disconnect", "apart", "there");
    expect(await answer(host.cluster.outside, url), "by the default network").to.contain("there");
    expect(await answer(host.node.host, "127.0.0.1:8300")).to.contain("there");
    await docker("rm", "-f", "there", "inside");
    await docker("network", "rm", "apart", "closed");
  });

  it("lead there again after somebody has flushed all rules", async () => {
    await onHost("nft", "flush", "ruleset");
    host.node.signal("SIGHUP");
    expect(await answer(host.cluster.outside, `${host.node.host.ip}:8080`)).to.contain("web");
    const shown = await onHost("nft", "list", "ruleset");
    expect(shown)
      .to.match(/muster_local/)
      .and.to.match(/masquerade/);
  });

  it("of 127.0.0.1 are no way in for others, nor is a way to the bridge", async () => {
    const { outside } = host.cluster;
    const { ip } = host.node.host;
    expect(await silence(outside, `${ip}:8081`)).to.equal(7);
    const bridged = [await addressOf("web"), await addressOf("other")];
    for (const address of bridged) await on(outside, "ip", "route", "add", address, "via", ip);
    const straight = bridged.map((address) => silence(outside, `${address}:80`));
    expect(await Promise.all(straight)).to.deep.equal([28, 28]);
    // A neighbour who sends packets to 127.0.0.1 here.
    const probe =
      "add table ip probe; add chain ip probe seen { type filter hook prerouting priority -400; }";
    await onHost(
      "nft",
      `${probe}; add rule ip probe seen iifname != lo ip daddr 127.0.0.1 counter`,
    );
    await on(outside, "sh", "-c", HOME_FROM_THERE(ip, outside.ip));
    await listen("9099", "127.0.0.1");
    const other = await into("other");
    const crafted = HOME_FROM_THERE(await gateway(), await addressOf("other"));
    await onHost(...other, "sh", "-c", crafted);
    const foreign = [
      ...["8080", "8081"].map((port) => silence(outside, `127.0.0.1:${port}`)),
      silence(host.node.host, "127.0.0.1:9099", other),
    ];
    expect(await Promise.all(foreign)).to.deep.equal([28, 28, 28]);
    const [, count] =
      /packets (\d+)/.exec(await onHost("nft", "list", "table", "ip", "probe")) ?? [];
    expect(Number(count), "packets came here").to.be.greaterThan(2);
    await onHost("nft", "delete", "table", "ip", "probe");
    await docker("rm", "-f", "other");
  });

  it("that somebody has are refused with Docker's words, and nothing is left", async () => {
    const before = await tables();
    const program = await listen("9090", "127.0.0.1");
    const hasSctp = /^SCTP /m.test(readFileSync("/proc/net/protocols", "utf8"));
    const refusals: [string, string[], string][] = [
      [
        "taken",
        ["-p", "7000:80", "-p", "8080:80"],
        "Bind for 0.0.0.0:8080 failed: port is already allocated",
      ],
      [
        "one",
        ["-p", "127.0.0.1:8080:80"],
        "Bind for 127.0.0.1:8080 failed: port is already allocated",
      ],
      [
        "foreign",
        ["-p", "9090:80"],
        "failed to bind host port 0.0.0.0:9090/tcp: address already in use",
      ],
      ["far", ["-p", "192.0.2.7:80:80"], "cannot assign requested address"],
      ["one6", ["-p", "[::1]:8080:80"], "Bind for ::1:8080 failed: port is already allocated"],
      ...(hasSctp
        ? []
        : [["sctp", ["-p", "80:80/sctp"], "protocol not supported"] as [string, string[], string]]),
    ];
    for (const [name, flags, says] of refusals) {
      await docker("create", "--name", name, ...flags, "busybox", "sleep", "1000");
      const { code, stderr } = await host.docker("start", name);
      expect(code, name).to.equal(1);
      const frame = `driver failed programming external connectivity on endpoint ${name} (`;
      expect(stderr).to.contain(frame).and.to.contain(says);
      expect(await inspect("{{.State.Status}} {{.NetworkSettings.Ports}}", name)).to.equal(
        "created map[]",
      );
      expect(await inspect("{{.State.Error}}", name)).to.contain(says);
    }
    const { status } = await host.ask("POST /containers/taken/start");
    expect(status).to.equal(500);
    expect(await tables()).to.equal(before);
    (await listen("7000", "0.0.0.0")).kill("SIGKILL");
    program.kill("SIGKILL");
    await eventually("the program has ended", () => program.signalCode !== null, DONE_MS);
    await docker("start", "foreign");
    const other = spawn(host.node.host, process.execPath, "-e", LISTENER, "9090", "0.0.0.0");
    await eventually("the program is refused", () => other.child.exitCode !== null, DONE_MS);
    expect(other.child.exitCode).to.equal(1);
    await docker("rm", "-f", ...refusals.map(([name]) => name));
  });

  it("of UDP lead to whoever has them now, also for who sends on and on", async () => {
    const { outside } = host.cluster;
    const { said } = spawn(
      ...([outside, process.execPath, "-e", UDP_CLIENT, host.node.host.ip, "5353"] as const),
    );
    const client6 = UDP_CLIENT.replace("udp4", "udp6").replace("5999", "5998");
    const six = spawn(outside, process.execPath, "-e", client6, ADDRESS6, "5353");
    for (const name of ["udp1", "udp2"]) {
      await docker("run", "-d", "--name", name, "-p", "5353:5353/udp", "busybox", "sleep", "1000");
      const server = spawn(
        host.node.host,
        ...(await into(name)),
        process.execPath,
        "-e",
        UDP_SERVER,
        name,
      );
      await eventually(`${name} answers`, () => said.text.includes(name), DONE_MS);
      await eventually(`${name} answers by IPv6`, () => six.said.text.includes(name), DONE_MS);
      await docker("rm", "-f", name);
      server.child.kill("SIGKILL");
    }
  });

  it("are given to all that is exposed on demand, and by PortBindings alone", async () => {
    await run("all", "-P", "--expose", "80", "--expose", "81/udp");
    expect(await portsOf("all")).to.have.length(4);
    const url = `127.0.0.1:${await hostPortOf("all", "80")}`;
    expect(await answer(host.node.host, url)).to.contain("all");
    await docker("rm", "-f", "all");
    const body = {
      Image: "busybox",
      Cmd: ["sleep", "9"],
      HostConfig: { PortBindings: { "80/tcp": [{ HostPort: "7001" }] } },
    };
    expect((await host.ask("POST /containers/create?name=bare", body)).status).to.equal(201);
    await docker("start", "bare");
    expect(await docker("port", "bare")).to.equal("80/tcp -> 0.0.0.0:7001\n80/tcp -> :::7001");
    await docker("rm", "-f", "bare");
  });

  it("stay as they are through kill -9 of the daemon, pause and another name", async () => {
    const before = await portsOf("web");
    await host.node.kill("SIGKILL");
    expect(await answer(host.node.host, "127.0.0.1:8080"), "without a daemon").to.contain("web");
    expect(await answer(host.cluster.outside, `[${ADDRESS6}]:8400`)).to.contain("six");
    await host.node.start();
    expect(await portsOf("web")).to.deep.equal(before);
    expect(await answer(host.node.host, "[::1]:8080"), "relayed again").to.contain("web");
    await docker("rm", "-f", "six");
    await docker("network", "rm", "dual");
    await docker("rename", "web", "site");
    await docker("pause", "site");
    await docker("unpause", "site");
    expect(await portsOf("site")).to.deep.equal(before);
    expect(await answer(host.cluster.outside, `${host.node.host.ip}:8080`)).to.contain("web");
    expect(await host.failDocker("run", "-d", "-p", "8080:80", "busybox", "true")).to.contain(
      "port is already allocated",
    );
    await docker("restart", "-t", "0", "site");
    expect(await docker("port", "site", "81")).to.equal("0.0.0.0:9000\n:::9000");
    expect(await answer(host.node.host, "127.0.0.1:8080")).to.contain("web");
  });

  it("and those of services do not get in each other's way unseen", async () => {
    await docker("swarm", "init", "--advertise-addr", host.node.host.ip);
    const service = (name: string, publish: string) =>
      docker(
        ...["service", "create", "-d", "--no-resolve-image", "--name", name, "-p", publish],
        ...["--restart-condition", "none", "--stop-signal", "KILL", "busybox", "sleep", "1000"],
      );
    await service("mesh", "published=8200,target=80");
    await service("same", "published=8080,target=80");
    await service("direct", "published=9000,target=80,mode=host");
    await docker("create", "--name", "late", "-p", "8200:80", "busybox", "sleep", "1000");
    let said = "";
    await eventually(
      "the service's port is taken",
      async () => {
        const { code, stderr } = await host.docker("start", "late");
        if (code === 0) await docker("stop", "-t", "0", "late");
        said = stderr;
        return code !== 0;
      },
      DONE_MS,
    );
    expect(said).to.contain("Bind for 0.0.0.0:8200 failed: port is already allocated");
    await eventually(
      "the task tells why it cannot have the port",
      async () =>
        (await docker("service", "ps", "--no-trunc", "--format", "{{.Error}}", "direct")).includes(
          "Bind for 0.0.0.0:9000 failed: port is already allocated",
        ),
      DONE_MS,
    );
    expect(await answer(host.node.host, "127.0.0.1:8080")).to.contain("web");
    await docker("swarm", "leave", "--force");
    await docker("start", "late");
    await docker("rm", "-f", "late");
  });

  it("are free again when the container has ended, and nothing of them is left", async () => {
    await docker("stop", "-t", "0", "site");
    expect(await docker("ps", "-a", "--format", "{{.Ports}}", "--filter", "name=site")).to.equal(
      "",
    );
    expect(await tables()).to.not.contain("muster_ports");
    await docker("run", "-d", "--name", "last", "-p", "8080:80", "busybox", "true");
    await docker("rm", "-f", "last", "site");
    (await listen("8080", "0.0.0.0")).kill("SIGKILL");
  });
});
