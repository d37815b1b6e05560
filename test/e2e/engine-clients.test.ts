import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { type EngineHost, startEngineHost } from "../support/engine/engine-host.ts";
import { type Python, pythonClients } from "../support/python-clients.ts";

const COMPOSE = `
version: "3.8"
services:
  web:
    image: busybox
    init: true
    command: sh -c "mkdir -p /www && echo from-web > /www/index.html && exec httpd -f -p 80 -h /www"
    volumes: ["content:/data"]
    networks:
      front: { aliases: [site] }
    healthcheck: { test: ["CMD", "true"], interval: 1s }
  client:
    image: busybox
    init: true
    command: sleep 1000
    depends_on: [web]
    networks: [front]
    volumes: ["content:/data:ro"]
networks:
  front: {}
volumes:
  content: {}
`;

/** What docker-py is asked; it ends with an exception at the first thing that is not as Docker has it. */
const SCRIPT = `
import docker, io, tarfile
client = docker.from_env(timeout=30)
assert client.ping()
assert client.containers.run("busybox", ["echo", "hello"], remove=True) == b"hello\\n"
try:
    client.containers.run("busybox", ["sh", "-c", "echo bad >&2; exit 3"], remove=True)
    raise AssertionError("no error")
except docker.errors.ContainerError as error:
    assert error.exit_status == 3 and error.stderr == b"bad\\n", error
network = client.networks.create("pynet", labels={"a": "b"})
volume = client.volumes.create("pyvol")
one = client.containers.run("busybox", "sleep 1000", name="pyone", detach=True, init=True, network="pynet",
                            volumes={"pyvol": {"bind": "/v", "mode": "rw"}}, environment={"A": "1"}, labels={"k": "v"})
assert one.exec_run(["sh", "-c", "echo $A; echo e >&2; exit 4"], demux=True) == (4, (b"1\\n", b"e\\n"))
data = io.BytesIO()
with tarfile.open(fileobj=data, mode="w") as tar:
    entry = tarfile.TarInfo("file")
    entry.size = 5
    tar.addfile(entry, io.BytesIO(b"12345"))
assert one.put_archive("/v", data.getvalue())
assert one.exec_run("cat /v/file").output == b"12345"
chunks, stat = one.get_archive("/v/file")
assert stat["size"] == 5 and len(b"".join(chunks)) > 512
assert [c.name for c in client.containers.list(filters={"label": "k=v"})] == ["pyone"]
assert "MemTotal" in client.info() and one.stats(stream=False)["memory_stats"]["usage"] > 0
one.reload()
assert one.attrs["NetworkSettings"]["Networks"]["pynet"]["IPAddress"]
network.disconnect(one)
network.connect(one, aliases=["again"])
one.pause(); one.unpause(); one.rename("pytwo"); one.stop(timeout=1)
assert one.wait()["StatusCode"] in (143, 137)
assert one.logs() == b""
one.remove()
network.remove()
volume.remove()
try:
    client.containers.get("pytwo")
    raise AssertionError("no error")
except docker.errors.NotFound:
    pass
print("all is as Docker has it")
`;

describe("e2e: clients made for Docker", function () {
  this.timeout(180_000);
  let host: EngineHost;
  let python: Python;

  before(async () => {
    python = await pythonClients();
    host = await startEngineHost("e2eclients");
  });
  after(async () => host?.close());

  /** Runs Debian's Python where the daemon is. */
  const runPython = async (...args: string[]) => {
    const { lab } = host.cluster;
    const env = [`DOCKER_HOST=unix://${host.node.socket}`, "COMPOSE_INTERACTIVE_NO_CLI=1"];
    const command = ["env", ...env, ...python.command, ...args];
    const { code, stdout, stderr } = await lab.exec(host.node.host, command);
    expect(code, `${args.join(" ")}\n${stdout}${stderr}`).to.equal(0);
    return stdout.trim();
  };

  it("docker-py runs, looks into, fills and removes", async () => {
    expect(await runPython("-c", SCRIPT)).to.equal("all is as Docker has it");
  });

  it("Compose brings a project up, a service finds another by its name, and all goes down", async () => {
    const folder = join(host.cluster.folder, "project");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "docker-compose.yml"), COMPOSE);
    const compose = (...args: string[]) =>
      runPython(
        python.composeScript,
        "--project-directory",
        folder,
        "-f",
        `${folder}/docker-compose.yml`,
        ...args,
      );
    await compose("up", "-d");
    const exec = (...args: string[]) => compose("exec", "-T", "client", ...args);
    for (const name of ["web", "site", "project_web_1"])
      expect(
        await exec("sh", "-c", `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc ${name} 80`),
      ).to.contain("from-web");
    await compose("exec", "-T", "web", "sh", "-c", "echo shared > /data/file");
    expect(await exec("cat", "/data/file")).to.equal("shared");
    await compose("up", "-d", "--scale", "client=2");
    expect((await compose("ps", "-q")).split("\n")).to.have.length(3);
    await compose("restart", "-t", "1", "client");
    expect(await compose("logs", "--no-color", "web")).to.contain("Attaching to");
    await compose("down", "-v", "-t", "1");
    expect(await host.mustDocker("ps", "-aq")).to.equal("");
    expect(await host.mustDocker("volume", "ls", "-q")).to.equal("");
    expect(await host.mustDocker("network", "ls", "-q", "--filter", "type=custom")).to.equal("");
  });
});
