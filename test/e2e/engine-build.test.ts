import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { dirname, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { expect } from "chai";
import Docker from "dockerode";
import { ask } from "../support/ask.ts";
import { FILE_SERVER, STAGES, WRONG_BUILDS } from "../support/engine/build-cases.ts";
import { type EngineHost, startEngineHost } from "../support/engine/engine-host.ts";
import { eventually } from "../support/eventually.ts";
import { packTar } from "../support/tar-writer.ts";

const MUSTER = resolve(import.meta.dirname, "../../bin/muster");

/** A build's context: text by path. */
type Files = Readonly<Record<string, string>>;

const WAIT_MS = 20_000;
const POLL_MS = 50;
const ID = /^ ---> ([0-9a-f]{12})$/gm;

describe("e2e: builds, by the stock docker command line", function () {
  this.timeout(60_000);
  let host: EngineHost;
  let contexts = 0;

  before(async function () {
    this.timeout(120_000);
    host = await startEngineHost("e2ebuild");
  });
  after(async () => {
    await host?.close();
  });

  function contextOf(files: Files): string {
    const folder = join(host.cluster.folder, `context-${++contexts}`);
    mkdirSync(folder);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    return folder;
  }

  const build = (files: Files, ...args: string[]) =>
    host.mustDocker("build", ...args, contextOf(files));
  const failBuild = (files: Files, ...args: string[]) =>
    host.failDocker("build", ...args, contextOf(files));
  const containers = async () => (await host.mustDocker("ps", "-aq")).split("\n").filter(Boolean);
  const configOf = async (image: string) =>
    JSON.parse(await host.mustDocker("inspect", "-f", "{{json .Config}}", image));
  /** What builds keep on disk while they are under way. */
  const underWay = () => readdirSync(join(host.node.dataRoot, "build"));

  /** What a container of an image says. */
  async function output(image: string, ...command: string[]): Promise<string> {
    const id = await host.mustDocker("run", "-d", image, ...command);
    await host.mustDocker("wait", id);
    const said = await host.mustDocker("logs", id);
    await host.mustDocker("rm", id);
    return said;
  }

  /** A context as any client sends it. */
  async function post(body: Buffer): Promise<{ readonly status: number; readonly body: string }> {
    const { status, body: said } = await ask(host.node.socket, "POST /build", {
      headers: { "Content-Type": "application/x-tar" },
      body,
    });
    return { status, body: String(said) };
  }

  it("run commands, copy files and say so in Docker's words", async () => {
    const files = {
      Dockerfile: [
        "FROM busybox",
        "ENV GREETING=hello",
        "WORKDIR /app",
        "COPY a.txt dir/ ./",
        'RUN echo "$GREETING $(cat a.txt)" >out && echo told',
        'CMD ["cat", "out"]',
      ].join("\n"),
      "a.txt": "world\n",
      "dir/b.txt": "b\n",
    };
    const said = await build(files, "-t", "app:1", "-t", "app:2");
    expect(said).to.match(/^Step 1\/6 : FROM busybox$/m);
    expect(said).to.match(
      /GREETING=hello\n ---> Running in ([0-9a-f]{12})\nRemoving intermediate container \1\n ---> /,
    );
    expect(said).to.match(
      /^ ---> Running in [0-9a-f]{12}\ntold\nRemoving intermediate container /m,
    );
    const [, , , , , last = ""] = [...said.matchAll(ID)].map(([, id]) => id);
    expect(
      said.endsWith(
        `Successfully built ${last}\nSuccessfully tagged app:1\nSuccessfully tagged app:2`,
      ),
    ).to.equal(true);
    expect(await output("app:1")).to.equal("hello world");
    expect(await containers()).to.deep.equal([]);
    const history = await host.mustDocker(
      "history",
      "--no-trunc",
      "--format",
      "{{.CreatedBy}}",
      "app:1",
    );
    expect(history.split("\n").slice(0, 2)).to.deep.equal([
      '/bin/sh -c #(nop)  CMD ["cat" "out"]',
      '/bin/sh -c echo "$GREETING $(cat a.txt)" >out && echo told',
    ]);
    expect(await output("app:1", "ls", "/app")).to.equal("a.txt\nb.txt\nout");

    const again = await build(files, "-t", "app:3");
    expect(again.match(/Using cache/g)).to.have.length(5);
    expect(again).to.contain(`Successfully built ${last}`);
    const changed = await build({ ...files, "a.txt": "you\n" }, "-q");
    expect(changed).to.match(/^sha256:[0-9a-f]{64}$/);
    expect(await output(changed)).to.equal("hello you");
    expect(await build(files, "--no-cache", "-q")).to.not.contain(last);
  });

  it("find steps in the history of images from elsewhere, when told to", async () => {
    const files = {
      Dockerfile: "FROM scratch\nCOPY a /\nENV B=1\nCOPY a /b\nLABEL c=d\n",
      a: "cached",
    };
    const first = await build(files, "-q", "-t", "elsewhere");
    const archive = join(host.cluster.folder, "elsewhere.tar");
    await host.mustDocker("save", "-o", archive, "elsewhere");
    await host.mustDocker("rmi", "elsewhere");
    await host.mustDocker("load", "-i", archive);
    const told = ["--cache-from", "elsewhere", "--cache-from", "gone"];
    const again = await build(files, "-t", "elsewhere:2", ...told);
    expect(again.match(/Using cache/g)).to.have.length(4);
    expect(await host.mustDocker("inspect", "-f", "{{.Id}}", "elsewhere:2")).to.equal(first);
    const others = await build(files, "--cache-from", "gone", "--cache-from", "busybox");
    expect(others).to.not.contain("Using cache");
    const part = { ...files, Dockerfile: "FROM scratch\nCOPY a /\nENV B=1\nLABEL other=one\n" };
    expect((await build(part, ...told)).match(/Using cache/g)).to.have.length(2);
  });

  it("show steps of others with -a only, and let them go with the last that needs them", async () => {
    const all = async (...args: string[]) => {
      const said = await host.mustDocker("images", "-q", ...args);
      return new Set(said.split("\n").filter(Boolean));
    };
    const before = await all("-a");
    await build({ Dockerfile: "FROM busybox\nENV A=1\nLABEL b=c\nUSER 7\n" }, "-t", "steps");
    expect((await all("-a")).size).to.equal(before.size + 3);
    const usage = await host.mustDocker("system", "df", "--format", "{{.TotalCount}}");
    expect(usage.split("\n")[0]).to.equal(String((await all()).size));
    const parent = await host.mustDocker("inspect", "-f", "{{.Parent}}", "steps");
    expect(await host.failDocker("rmi", "-f", parent)).to.contain("has dependent child images");
    await host.mustDocker("rmi", "steps");
    expect(await all("-a")).to.deep.equal(before);
  });

  it("have stages, arguments, heredocs and owners", async () => {
    const files = {
      Dockerfile: STAGES,
      name: "x",
    };
    // Longer than servers take by default: arguments are in the request's line.
    const long = `LONG=${"x".repeat(100_000)}`;
    const args = [
      ...["--build-arg", long],
      "--build-arg",
      "BASE=busybox",
      "--build-arg",
      "NAME=me",
      "--build-arg",
      "SPARE=1",
    ];
    const said = await build(files, "-t", "stages", ...args, "--label", "by=test");
    expect(said).to.contain("[Warning] One or more build-args [LONG SPARE] were not consumed");
    expect((await output("stages")).split("\n")).to.deep.equal([
      ...["I am me", "by awk", "$PATH", "7:8 644", "1:50 755", "1:50 640", "7:7 644"],
    ]);
    expect((await configOf("stages")).Labels).to.deep.equal({ by: "test" });
    expect(await build(files, "--target", "unused", "-q", ...args)).to.match(/^sha256:/);
    expect(await failBuild(files, "--target", "gone")).to.contain(
      'target stage "gone" could not be found',
    );
  });

  it("make the configuration an image has, and what it leaves for others", async () => {
    const Dockerfile = [
      "FROM busybox",
      "MAINTAINER me",
      'SHELL ["/bin/sh", "-ec"]',
      "ENTRYPOINT exec top",
      "EXPOSE 80 53/udp",
      "VOLUME /data",
      "USER 7:8",
      "STOPSIGNAL SIGINT",
      "HEALTHCHECK --interval=3s --retries=4 CMD true",
      "ONBUILD ENV LEFT=over",
    ].join("\n");
    await build({ Dockerfile }, "-t", "configured");
    expect(await configOf("configured")).to.deep.include({
      User: "7:8",
      ExposedPorts: { "53/udp": {}, "80/tcp": {} },
      Volumes: { "/data": {} },
      Entrypoint: ["/bin/sh", "-ec", "exec top"],
      Cmd: null,
      Shell: ["/bin/sh", "-ec"],
      OnBuild: ["ENV LEFT=over"],
      StopSignal: "SIGINT",
      Healthcheck: { Test: ["CMD-SHELL", "true"], Interval: 3_000_000_000, Retries: 4 },
    });
    const next = { Dockerfile: "FROM configured\nRUN true\n" };
    const said = await build(next, "-t", "configured:2");
    expect(said).to.contain("# Executing 1 build trigger\n");
    const { Env, OnBuild } = await configOf("configured:2");
    expect(Env).to.include("LEFT=over");
    expect(OnBuild ?? null).to.equal(null);
    // What a command's volume was mounted upon is of the image, and like that of Docker's runtime.
    const stat = ["--entrypoint", "stat", "configured:2", "-c", "%a", "/data"];
    expect(await host.mustDocker("run", "--rm", ...stat)).to.equal("755");
  });

  it("unpack archives, keep modes and leave out what .dockerignore names", async () => {
    const folder = contextOf({
      Dockerfile: [
        "FROM busybox",
        "ADD in.tar.gz in.tar.xz /unpacked/",
        "COPY in.tar.gz /packed",
        "COPY . /all",
        "CMD find /unpacked /packed /all | sort",
      ].join("\n"),
      ".dockerignore": "*.log\n!keep.log\nDockerfile\n.dockerignore\n",
      "a.log": "",
      "keep.log": "",
      "x/deep": "1",
      "y/deeper": "2",
    });
    execFileSync("tar", ["-C", folder, "-czf", join(folder, "in.tar.gz"), "x"]);
    execFileSync("tar", ["-C", folder, "-cJf", join(folder, "in.tar.xz"), "y"]);
    await host.mustDocker("build", "-t", "archives", folder);
    expect((await output("archives")).split("\n")).to.deep.equal([
      ...["/all", "/all/in.tar.gz", "/all/in.tar.xz", "/all/keep.log", "/all/x", "/all/x/deep"],
      ...["/all/y", "/all/y/deeper", "/packed", "/unpacked", "/unpacked/x", "/unpacked/x/deep"],
      ...["/unpacked/y", "/unpacked/y/deeper"],
    ]);
  });

  it("take contexts and Dockerfiles from standard input, packed in any way", async () => {
    const folder = contextOf({ Dockerfile: "FROM busybox\nCOPY a /\n", a: "1" });
    const stock = `${host.cli} -H unix://${host.node.socket} build -q`;
    const sh = async (line: string) => {
      const { code, stdout, stderr } = await host.cluster.lab.exec(host.node.host, [
        "sh",
        "-c",
        line,
      ]);
      expect(code, stderr).to.equal(0);
      return stdout.trim();
    };
    const ids = [];
    for (const flag of ["", "z", "J", "j"])
      ids.push(await sh(`tar -C ${folder} -c${flag}f - . | ${stock} -`));
    expect(new Set(ids).size, ids.join(" ")).to.equal(1);
    // Such an archive ends without its last bytes.
    const sent = await sh(`printf 'FROM busybox\\nCOPY a /b\\n' | ${stock} -f - ${folder}`);
    expect(await output(sent, "cat", "/b")).to.equal("1");
    const idFile = join(folder, "id");
    const other = await sh(`printf 'FROM scratch\\nENV A=b\\n' | ${stock} --iidfile ${idFile} -`);
    expect(readFileSync(idFile, "utf8").trim()).to.equal(other);
  });

  it("give commands the limits, hosts and network that are asked for", async () => {
    const Dockerfile = [
      "FROM busybox",
      "RUN cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null; \\",
      "  ulimit -n; df -k /dev/shm | tail -1; cat /etc/hosts; ls /sys/class/net",
    ].join("\n");
    const said = await build(
      { Dockerfile },
      ...["--memory", "64m", "--ulimit", "nofile=77:77", "--shm-size", "1m", "--network", "none"],
      ...["--add-host", "db:192.0.2.7", "--no-cache"],
    );
    expect(said).to.match(/^67108864\n77\nshm\s+1024 /m);
    expect(said).to.match(/^192.0.2.7\s+db$/m);
    expect(said).to.match(/^lo\n(?:Removing)/m);
  });

  it("keep what is hostile in a context inside it", async () => {
    const link = (name: string, linkName: string) => ({ name, type: "symlink" as const, linkName });
    const hostile = [
      [{ name: "../../../../tmp/muster-out", content: "x" }],
      [link("out", "/tmp"), { name: "out/muster-out", content: "x" }],
      [link("up", "../../../../../tmp"), { name: "up/muster-out", content: "x" }],
      [{ name: "passwd", type: "hardLink" as const, linkName: "/etc/passwd" }],
    ];
    const Dockerfile = { name: "Dockerfile", content: "FROM scratch\nCOPY . /\n" };
    for (const entries of hostile) {
      const { body } = await post(packTar([Dockerfile, ...entries]));
      expect(existsSync("/tmp/muster-out"), body).to.equal(false);
    }
    const secret = [
      link("shadow", "/etc/shadow"),
      { ...Dockerfile, content: "FROM scratch\nCOPY shadow /\n" },
    ];
    const { body } = await post(packTar(secret));
    expect(body).to.contain("stat shadow: file does not exist");
    const linked = [link("Dockerfile", "/etc/passwd")];
    expect((await post(packTar(linked))).body).to.contain(
      "Cannot locate specified Dockerfile: Dockerfile",
    );
    expect((await post(Buffer.from("no archive at all"))).status).to.equal(400);
    expect(underWay()).to.deep.equal([]);
  });

  it("are made by muster itself, from a folder and from standard input", async () => {
    const folder = contextOf({
      "sub/my.Dockerfile": "ARG A\nFROM $A\nCOPY . /got/\nCMD find /got -type f | sort\n",
      "sub/my.Dockerfile.dockerignore": "*\n!kept\n!deep/*/kept\n",
      ".dockerignore": "kept\n",
      kept: "1",
      left: "1",
      "deep/er/kept": "1",
      "deep/er/left": "1",
    });
    const muster = (...args: string[]) => host.cluster.lab.exec(host.node.host, args);
    const command = [
      MUSTER,
      "-H",
      `unix://${host.node.socket}`,
      "build",
      "-q",
      "--build-arg",
      "A=busybox",
    ];
    const file = join(folder, "sub/my.Dockerfile");
    const { code, stdout, stderr } = await muster(
      ...command,
      "-t",
      "by:muster",
      "-f",
      file,
      folder,
    );
    expect(code, stderr).to.equal(0);
    expect(stdout).to.match(/^sha256:[0-9a-f]{64}\n$/);
    const got = ["/got/deep/er/kept", "/got/kept", "/got/sub/my.Dockerfile"];
    expect((await output("by:muster")).split("\n")).to.include.members(got);
    expect(await output("by:muster")).to.not.contain("left");

    const line = `printf 'FROM busybox\\nRUN exit 5\\n' | ${command.join(" ")} -`;
    const failed = await muster("sh", "-c", line);
    expect(failed.code).to.equal(5);
    expect(failed.stderr).to.contain("The command '/bin/sh -c exit 5' returned a non-zero code: 5");
    await host.mustDocker("container", "prune", "-f");
  });

  it("fetch what is elsewhere: files of ADD, and whole contexts", async () => {
    const server = host.cluster.lab.spawn(host.node.host, [process.execPath, "-e", FILE_SERVER], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      await new Promise((resolve) => server.stdout?.once("data", resolve));
      const muster = [MUSTER, "-H", `unix://${host.node.socket}`, "build", "-t", "fetched"];
      const fetch = () =>
        host.cluster.lab.exec(host.node.host, [...muster, "http://127.0.0.1:8099/Dockerfile"]);
      const { code, stdout, stderr } = await fetch();
      expect(code, stderr).to.equal(0);
      expect(stdout).to.match(/^Step 2\/3 : ADD http:\/\/127.0.0.1:8099\/a.txt \/to\/\n\n ---> /m);
      expect(await output("fetched")).to.equal("600 1709294400 0 content");
      expect((await fetch()).stdout.match(/Using cache/g)).to.have.length(2);
      const { status, json } = await host.ask("POST /build?remote=http://127.0.0.1:8099/gone");
      expect(status).to.equal(404);
      expect(JSON.stringify(json)).to.contain("error downloading remote context");
      expect(underWay()).to.deep.equal([]);
    } finally {
      server.kill("SIGKILL");
    }
  });

  it("are streamed to dockerode, and fit Docker's file", async () => {
    const api = new Docker({ socketPath: host.node.socket });
    const body = packTar([{ name: "Dockerfile", content: "FROM scratch\nENV A=b\n" }]);
    const stream = await api.buildImage(Readable.from([body]) as NodeJS.ReadableStream, {
      t: "by:rode",
    });
    const lines = await new Promise<{ stream?: string; aux?: { ID: string } }[]>(
      (resolve, reject) =>
        api.modem.followProgress(stream, (error, all) => (error ? reject(error) : resolve(all))),
    );
    const { Id } = await api.getImage("by:rode").inspect();
    expect(lines.find(({ aux }) => aux !== undefined)?.aux).to.deep.equal({ ID: Id });
    expect(lines.at(-1)).to.deep.equal({ stream: "Successfully tagged by:rode\n" });
    expect((await api.pruneBuilder()) as unknown).to.deep.equal({
      CachesDeleted: [],
      SpaceReclaimed: 0,
    });
    const { status } = await host.ask('POST /build/prune?filters={"what":["x"]}');
    expect(status).to.equal(400);
  });

  it("refuse BuildKit and say what to do", async () => {
    for (const operation of ["POST /build?version=2", "POST /session", "POST /grpc"]) {
      const { status, json } = await host.ask(operation);
      expect(status).to.equal(501);
      expect(JSON.stringify(json)).to.contain("DOCKER_BUILDKIT=0");
    }
  });

  it("say what is wrong, with the command's own code", async () => {
    const failed = await host.docker(
      "build",
      contextOf({ Dockerfile: "FROM busybox\nRUN exit 3\n" }),
    );
    expect(failed.code).to.equal(3);
    expect(failed.stderr.trim()).to.equal(
      "The command '/bin/sh -c exit 3' returned a non-zero code: 3",
    );
    const [left = "", ...more] = await containers();
    expect(more).to.deep.equal([]);
    await host.mustDocker("rm", left);
    const unstarted = contextOf({ Dockerfile: 'FROM busybox\nRUN ["/gone"]\n' });
    expect((await host.docker("build", "--force-rm", unstarted)).code).to.equal(1);
    const four = { Dockerfile: "FROM busybox\nRUN exit 4\n" };
    const { stdout } = await host.docker("build", "--force-rm", contextOf(four));
    expect(stdout).to.match(/^Removing intermediate container [0-9a-f]{12}$/m);
    expect(await failBuild(four, "--memory", "1m")).to.contain(
      "Minimum memory limit allowed is 6MB",
    );
    expect(await containers()).to.deep.equal([]);

    await build({ Dockerfile: "FROM busybox\nRUN true\n" }, "--rm=false");
    const [kept = "", ...others] = await containers();
    expect(others).to.deep.equal([]);
    await host.mustDocker("rm", kept);

    for (const [Dockerfile, message] of WRONG_BUILDS)
      expect(await failBuild({ Dockerfile })).to.contain(message);
    expect(await failBuild({ a: "b" })).to.contain("Dockerfile");
    expect(underWay()).to.deep.equal([]);
  });

  it("leave nothing when the client goes, or the daemon is killed", async () => {
    const body = packTar([{ name: "Dockerfile", content: "FROM busybox\nRUN sleep 1000\n" }]);
    const isRunning = async () => (await host.mustDocker("ps", "-q")) !== "";
    const isGone = async () => (await containers()).length === 0 && underWay().length === 0;
    const start = () => {
      const headers = { "Content-Type": "application/x-tar", "Content-Length": body.length };
      const asked = request({
        socketPath: host.node.socket,
        method: "POST",
        path: "/build",
        headers,
      });
      // Cut off by us, or by the daemon that is killed.
      asked
        .on("error", () => {})
        .on("response", (response) => response.on("error", () => {}).resume());
      asked.end(body);
      return asked;
    };
    const first = start();
    await eventually("the command runs", isRunning, WAIT_MS, POLL_MS);
    first.destroy();
    await eventually("all is gone", isGone, WAIT_MS, POLL_MS);

    start();
    await eventually("the command runs", isRunning, WAIT_MS, POLL_MS);
    await host.node.kill("SIGKILL");
    await host.node.start();
    await eventually("all is gone", isGone, WAIT_MS, POLL_MS);
    // The cache has outlived it.
    const said = await build({ Dockerfile: "FROM busybox\nENV GREETING=hello\nWORKDIR /app\n" });
    expect(said.match(/Using cache/g)).to.have.length(2);
  });
});
