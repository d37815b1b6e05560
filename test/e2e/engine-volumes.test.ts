import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import Docker from "dockerode";
import { isMountedAt, mountOfPath } from "../../runtime/linux/mount-table.ts";
import { type EngineHost, startEngineHost } from "../support/engine/engine-host.ts";
import { eventually } from "../support/eventually.ts";
import { Swagger } from "../support/swagger.ts";

const FILE = resolve(import.meta.dirname, "../../../shared/reference/docker-engine-api-v1.51.yaml");
const LIVE = ["--network", "none", "busybox"];
const END_MS = 20_000;

/** The library does not know it yet. */
const subpathOf = (Subpath: string) => ({ Subpath, NoCopy: false, Labels: {} }) as never;

describe("e2e: volumes by the stock docker command line and dockerode", function () {
  this.timeout(120_000);
  let host: EngineHost;
  let client: Docker;

  before(async () => {
    host = await startEngineHost("e2evolumes");
    client = new Docker({ socketPath: host.node.socket });
  });
  after(async () => host?.close());

  const docker = (...args: string[]) => host.mustDocker(...args);
  const pathOf = (name: string) => join(host.node.dataRoot, "volumes", name, "_data");

  /** What a script prints in a container with these flags, which then goes with its own volumes. */
  async function output(flags: readonly string[], script: string): Promise<string> {
    const id = await docker("create", ...flags, ...LIVE, "sh", "-c", script);
    try {
      await docker("start", id);
      await docker("wait", id);
      const { stdout, stderr } = await host.docker("logs", id);
      return `${stdout}${stderr}`.trim();
    } finally {
      await docker("rm", "-f", "-v", id);
    }
  }

  it("are created, listed by every filter, inspected and removed", async () => {
    expect(await docker("volume", "create", "--label", "a=b", "first")).to.equal("first");
    expect(await docker("volume", "create", "first")).to.equal("first");
    const unnamed = await docker("volume", "create");
    expect(unnamed).to.match(/^[0-9a-f]{64}$/);
    await docker("create", "--name", "holder", "-v", "second:/v", ...LIVE);
    const list = (...filters: string[]) =>
      docker("volume", "ls", "-q", ...filters.flatMap((filter) => ["--filter", filter]));
    expect(await list("name=^first$")).to.equal("first");
    expect(await list("label=a=b")).to.equal("first");
    expect(await list("dangling=false")).to.equal("second");
    expect(await list("dangling=true", "driver=local", "label=a")).to.equal("first");
    expect(await host.failDocker("volume", "ls", "--filter", "colour=red")).to.contain(
      "invalid filter 'colour'",
    );
    const format = "{{.Name}} {{.Driver}} {{.Mountpoint}} {{.Labels.a}} {{.Scope}}";
    expect(await docker("volume", "inspect", "-f", format, "first")).to.equal(
      `first local ${pathOf("first")} b local`,
    );
    const holder = await docker("inspect", "-f", "{{.Id}}", "holder");
    for (const force of [[], ["-f"]])
      expect(await host.failDocker("volume", "rm", ...force, "second")).to.contain(
        `remove second: volume is in use - [${holder}]`,
      );
    await docker("rm", "holder");
    expect(await docker("volume", "rm", "first", "second", unnamed)).to.contain("second");
    expect(await host.failDocker("volume", "rm", "first")).to.contain("No such volume: first");
    await docker("volume", "rm", "-f", "first");
    expect(await host.failDocker("volume", "inspect", "first")).to.contain("o such volume");
    for (const [flags, says] of [
      [["a"], "volume name is too short"],
      [["no/slash"], "includes invalid characters for a local volume name"],
      [["-d", "nosuch", "vv"], 'error looking up volume plugin nosuch: plugin "nosuch" not found'],
      [["-o", "colour=red", "vv"], 'create vv: invalid option: "colour"'],
      [["-o", "type=tmpfs", "vv"], 'missing required option: "device"'],
    ] as const)
      expect(await host.failDocker("volume", "create", ...flags)).to.contain(says);
    expect(await docker("volume", "ls", "-q")).to.equal("");
  });

  it("answer as Docker's Swagger file has it", async function () {
    if (!existsSync(FILE)) this.skip();
    const swagger = new Swagger(FILE);
    const fits = async (operation: string, path: string, status: number, body?: unknown) => {
      const [method = ""] = operation.split(" ");
      const answer = await host.ask(`${method} ${path}`, body);
      expect(answer.status, JSON.stringify(answer.json)).to.equal(status);
      expect(swagger.problems(operation, answer.status, answer.json)).to.deep.equal([]);
      return answer.json;
    };
    const body = { Name: "shaped", Labels: { a: "b" }, DriverOpts: {} };
    await fits("POST /volumes/create", "/volumes/create", 201, body);
    await fits("GET /volumes", "/volumes", 200);
    await fits("GET /volumes/{name}", "/volumes/shaped", 200);
    await fits("GET /volumes/{name}", "/volumes/missing", 404);
    writeFileSync(join(pathOf("shaped"), "five"), "12345");
    const df = (await fits("GET /system/df", "/system/df", 200)) as { Volumes: unknown[] };
    expect(df.Volumes).to.have.length(1);
    expect(df.Volumes[0]).to.deep.include({ UsageData: { RefCount: 0, Size: 5 } });
    const put = await host.ask("PUT /volumes/shaped?version=1", { Spec: {} });
    expect(put.status).to.equal(503);
    expect(JSON.stringify(put.json)).to.contain("cluster volumes");
    const kept = await fits("POST /volumes/prune", "/volumes/prune", 200);
    expect(kept).to.deep.equal({ VolumesDeleted: [], SpaceReclaimed: 0 });
    const all = encodeURIComponent('{"all":["1"]}');
    const gone = await fits("POST /volumes/prune", `/volumes/prune?filters=${all}`, 200);
    expect(gone).to.deep.equal({ VolumesDeleted: ["shaped"], SpaceReclaimed: 5 });
  });

  it("are pruned whatever their names by old command lines alone", async () => {
    await client.createVolume();
    await client.createVolume({ Name: "named" });
    await host.ask("POST /v1.42/volumes/prune");
    const names = async () => (await client.listVolumes()).Volumes.map(({ Name }) => Name);
    expect(await names()).to.deep.equal(["named"]);
    // Debian's speaks 1.41.
    const DriverOpts = { type: "tmpfs", device: "tmpfs" };
    await client.createVolume({ Name: "share", DriverOpts });
    const long = "n".repeat(255);
    await client.createVolume({ Name: long });
    expect(await docker("volume", "prune", "-f")).to.match(
      new RegExp(`^Deleted Volumes:\nnamed\n${long}\n\nTotal`),
    );
    // One with options may be a share that others use.
    expect(await names()).to.deep.equal(["share"]);
    await docker("volume", "rm", "share");
  });

  it("made for a container go with the last that has them, and only when asked", async () => {
    const dockerfileVolume = ["--name", "owner", "-v", "/own", "-v", "kept:/kept"];
    await docker("create", ...dockerfileVolume, ...LIVE);
    await docker("create", "--name", "sharer", "--volumes-from", "owner:ro", ...LIVE);
    const [own = ""] = (await docker("volume", "ls", "-q")).split("\n");
    expect(own).to.match(/^[0-9a-f]{64}$/);
    const mounts = (name: string) =>
      docker("inspect", "-f", "{{range .Mounts}}{{.Name}} {{.RW}},{{end}}", name);
    expect(await mounts("owner")).to.equal(`kept true,${own} true,`);
    expect(await mounts("sharer")).to.equal(`kept false,${own} false,`);
    await docker("rm", "-v", "owner");
    expect(await docker("volume", "ls", "-q")).to.equal(`${own}\nkept`);
    await docker("rm", "-v", "sharer");
    expect(await docker("volume", "ls", "-q")).to.equal("kept");
    await docker("create", "--name", "plain", "-v", "/own", ...LIVE);
    await docker("rm", "plain");
    expect((await docker("volume", "ls", "-q")).split("\n")).to.have.length(2);
    await docker("volume", "prune", "-f");
  });

  it("get what the image has when they are made, once, and not where that is not wanted", async () => {
    await docker("create", "--name", "filler", "-v", "filled:/etc", ...LIVE);
    expect(existsSync(join(pathOf("filled"), "passwd"))).to.equal(true);
    await docker("rm", "filler");
    expect(await output(["-v", "filled:/v"], "rm -r /v/*; ls /v")).to.equal("");
    const emptied = ["--name", "emptied", "-v", "emptied:/etc", ...LIVE, "sh", "-c"];
    await docker("create", ...emptied, "ls /etc | wc -l; rm -r /etc/* 2>/dev/null");
    for (let round = 0; round < 2; round++) {
      await docker("start", "emptied");
      await docker("wait", "emptied");
    }
    // The network files are mounted there and stay.
    expect(await docker("logs", "emptied")).to.match(/^\d+\n3$/);
    await docker("rm", "emptied");
    expect(await output(["-v", "bare:/etc:nocopy"], "ls /etc/passwd 2>&1")).to.contain("No such");
    const mount = "type=volume,source=bare2,target=/etc,volume-nocopy";
    expect(await output(["--mount", mount], "ls /etc/passwd 2>&1")).to.contain("No such");
    await docker("volume", "rm", "filled", "emptied", "bare", "bare2");
  });

  it("with options are mounted with the first container and unmounted with the last", async () => {
    const source = join(host.cluster.folder, "behind");
    mkdirSync(source);
    writeFileSync(join(source, "in"), "behind\n");
    const options = [`type=none`, "o=bind", `device=${source}`];
    const made = ["volume", "create", ...options.flatMap((option) => ["-o", option]), "bound"];
    await docker(...made);
    const memory = ["-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=1m,mode=700"];
    await docker("volume", "create", ...memory, "memory");
    const flags = ["-v", "bound:/b", "-v", "memory:/m"];
    expect(
      await output(flags, "cat /b/in; grep -c ' /m tmpfs .*size=1024k' /proc/mounts"),
    ).to.equal("behind\n1");
    const mounted = () => ["bound", "memory"].map((name) => isMountedAt(pathOf(name)));
    expect(mounted()).to.deep.equal([false, false]);
    for (const name of ["one", "two"]) {
      await docker("create", "--name", name, ...flags, ...LIVE, "sleep", "1000");
      await docker("start", name);
    }
    expect(mounted()).to.deep.equal([true, true]);
    await docker("kill", "one");
    await docker("wait", "one");
    await host.node.kill("SIGKILL");
    await host.node.start();
    expect(mounted()).to.deep.equal([true, true]);
    await docker("rm", "-f", "one", "two");
    await eventually("both are unmounted", () => !mounted().includes(true), END_MS);
    const usage = (await client.df()) as { Volumes: { Name: string }[] };
    expect(usage.Volumes).to.deep.equal([]);
    expect(await docker("volume", "rm", "bound", "memory")).to.equal("bound\nmemory");
    expect(readFileSync(join(source, "in"), "utf8")).to.equal("behind\n");
  });

  it("are mounted in part, and nothing in them leads outside", async () => {
    await docker("volume", "create", "parts");
    const root = pathOf("parts");
    mkdirSync(join(root, "dir"));
    writeFileSync(join(root, "dir/in"), "part\n");
    symlinkSync("dir", join(root, "good"));
    symlinkSync("/etc", join(root, "bad"));
    const create = (name: string, subpath: string) =>
      client.createContainer({
        name,
        Image: "busybox",
        Cmd: ["cat", "/v/in"],
        HostConfig: {
          NetworkMode: "none",
          Mounts: [
            { Type: "volume", Source: "parts", Target: "/v", VolumeOptions: subpathOf(subpath) },
          ],
        },
      });
    await create("part", "good");
    await docker("start", "part");
    await docker("wait", "part");
    expect(await docker("logs", "part")).to.equal("part");
    const [mount] = (await client.getContainer("part").inspect()).Mounts;
    expect(mount).to.include({ Source: root, Mode: "z", RW: true, Driver: "local" });
    await docker("rm", "part");
    expect(readFileSync(join(root, "dir/in"), "utf8")).to.equal("part\n");
    const bad = [
      ["bad", "path concatenation escapes the base directory"],
      ["missing", `cannot access path ${root}/missing: no such file or directory`],
    ] as const;
    for (const [subpath, says] of bad) {
      await create("bad", subpath);
      expect(await host.failDocker("start", "bad")).to.contain(says);
      await docker("rm", "bad");
    }
    await docker("volume", "rm", "parts");
  });

  it("are made with options by the mounts of a container", async () => {
    const mount = "type=volume,source=made,target=/m,volume-label=a=b,volume-driver=local";
    const options = "volume-opt=type=tmpfs,volume-opt=device=tmpfs,volume-opt=o=size=1m";
    expect(
      await output(["--mount", `${mount},${options}`], "grep -c ' /m tmpfs ' /proc/mounts"),
    ).to.equal("1");
    const format = "{{.Labels.a}} {{.Options.o}}";
    expect(await docker("volume", "inspect", "-f", format, "made")).to.equal("b size=1m");
    await docker("volume", "rm", "made");
  });

  it("and what else is mounted is shown as it is", async () => {
    const source = join(host.cluster.folder, "late");
    const flags = ["-v", `${source}:/late:ro`, "--tmpfs", "/t", "-v", "shown:/v:nocopy"];
    await docker("create", "--name", "shown", ...flags, ...LIVE, "touch", "/late/x");
    expect(existsSync(source)).to.equal(false);
    for (let round = 0; round < 2; round++) {
      await docker("start", "shown");
      await docker("wait", "shown");
      expect(existsSync(source)).to.equal(true);
      if (round === 0) rmdirSync(source);
    }
    expect(await docker("inspect", "-f", "{{.State.ExitCode}}", "shown")).to.equal("1");
    const format =
      "{{range .Mounts}}{{.Type}} {{.Destination}} {{.Mode}} {{.RW}} {{.Propagation}},{{end}}";
    expect(await docker("inspect", "-f", format, "shown")).to.equal(
      "bind /late ro false rprivate,volume /v nocopy true ,",
    );
    await docker("rm", "shown");
    await docker("volume", "rm", "shown");
    await docker("create", "--name", "shared", "-v", `${source}:/s:shared`, ...LIVE);
    const { point, isShared } = mountOfPath(source);
    if (isShared) await docker("start", "shared");
    else
      expect(await host.failDocker("start", "shared")).to.contain(
        `path ${source} is mounted on ${point} but it is not a shared mount`,
      );
    await docker("rm", "-f", "shared");
  });

  it("and files and what is mounted below a directory are there as far as was asked for", async () => {
    const source = join(host.cluster.folder, "outer");
    mkdirSync(join(source, "inner"), { recursive: true });
    writeFileSync(join(source, "file"), "text");
    const { lab } = host.cluster;
    const onHost = async (...command: string[]) => lab.exec(host.node.host, command);
    expect((await onHost("mount", "--bind", source, join(source, "inner"))).code).to.equal(0);
    try {
      const at = `type=bind,src=${source},dst=`;
      const flags = ["--mount", `${at}/all`, "--mount", `${at}/top,bind-nonrecursive`];
      flags.push("-v", `${source}/file:/etc/passwd:ro`);
      const script = "cat /etc/passwd; echo; ls /all/inner; ls /top/inner";
      expect(await output(flags, script)).to.equal("text\nfile\ninner");
    } finally {
      await onHost("umount", join(source, "inner"));
    }
  });

  it("that cannot be mounted say so", async () => {
    const broken = ["-o", "type=none", "-o", "o=bind", "-o", "device=/no/such", "broken"];
    await docker("volume", "create", ...broken);
    const flags = ["--mount", "type=volume,source=broken,target=/x,volume-nocopy"];
    await docker("create", "--name", "cannot", ...flags, ...LIVE);
    expect(await host.failDocker("start", "cannot")).to.contain(
      `error while mounting volume '${pathOf("broken")}': failed to mount local volume: mount /no/such:`,
    );
    await docker("rm", "cannot");
    await docker("volume", "rm", "broken");
  });

  it("tell what happens to them", async () => {
    const since = Math.floor(Date.now() / 1000);
    await docker("create", "--name", "told", "-v", "told:/t:ro", ...LIVE, "true");
    const id = await docker("inspect", "-f", "{{.Id}}", "told");
    await docker("start", "told");
    await docker("wait", "told");
    await eventually(
      "it is cleared away",
      async () => (await docker("inspect", "-f", "{{.State.Running}}", "told")) === "false",
      END_MS,
    );
    await docker("rm", "told");
    await docker("volume", "rm", "told");
    const until = String(Math.ceil(Date.now() / 1000) + 1);
    const said = await docker(
      ...["events", "--since", String(since), "--until", until, "--filter", "type=volume"],
      ...["--filter", "volume=told", "--format", "{{.Action}} {{json .Actor.Attributes}}"],
    );
    const [created, mounted, ...rest] = said.split("\n");
    expect(created).to.equal('create {"driver":"local"}');
    const use = { container: id, destination: "/t", driver: "local" };
    expect(mounted).to.equal(
      `mount ${JSON.stringify({ ...use, propagation: "", "read/write": "false" })}`,
    );
    expect(rest).to.deep.equal([
      `unmount ${JSON.stringify({ container: id, driver: "local" })}`,
      'destroy {"driver":"local"}',
    ]);
  });

  it("are handled by muster's own commands alike", async () => {
    const muster = (...args: string[]) => host.node.mustMuster(...args);
    expect(await muster("volume", "create", "--label", "a=b", "ours")).to.equal("ours");
    expect(await muster("volume", "ls")).to.match(/^DRIVER +VOLUME NAME\nlocal +ours$/);
    expect(await muster("volume", "ls", "-q", "--filter", "label=a=b")).to.equal("ours");
    expect(await muster("volume", "inspect", "-f", "{{.Labels.a}}", "ours")).to.equal("b");
    expect(await muster("volume", "prune", "-a", "-f")).to.match(
      /^Deleted Volumes:\nours\n\nTotal reclaimed/,
    );
    const { code, stderr } = await host.node.muster("volume", "rm", "ours");
    expect([code, stderr]).to.deep.equal([
      ...[1, "Error response from daemon: get ours: no such volume\n"],
    ]);
  });
});
