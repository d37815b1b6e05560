import type { StdioOptions } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { cpus } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { ask } from "../support/ask.ts";
import { DOCKER_CLIS } from "../support/docker-cli.ts";
import { type EngineHost, startEngineHost } from "../support/engine/engine-host.ts";
import { eventually } from "../support/eventually.ts";
import { openAnswer as openAnswerOf } from "../support/open-answer.ts";
import { packTar, type TarInput } from "../support/tar-writer.ts";

/** As much of an answer as is looked at. */
interface Stats {
  readonly read: string;
  readonly preread: string;
  readonly cpu_stats: CpuStats;
  readonly precpu_stats: CpuStats;
}
interface CpuStats {
  readonly cpu_usage: { readonly total_usage: number };
  readonly system_cpu_usage: number;
}

const DONE_MS = 20_000;
const LIVE = ["--network", "none", "busybox"];
const SLEEP = [...LIVE, "sleep", "1000"];

describe("e2e: files of containers", function () {
  this.timeout(120_000);
  let host: EngineHost;
  let folder: string;

  before(async () => {
    host = await startEngineHost("e2efiles");
    folder = join(host.cluster.folder, "files");
    mkdirSync(join(folder, "tree/sub"), { recursive: true });
    writeFileSync(join(folder, "one"), "one\n");
    writeFileSync(join(folder, "tree/leaf"), "leaf\n", { mode: 0o640 });
    chownSync(join(folder, "tree/leaf"), 1234, 2345);
    utimesSync(join(folder, "tree/leaf"), 1_000_000_000, 1_000_000_000);
    symlinkSync("../../leaf", join(folder, "tree/sub/link"));
  });
  after(async () => host?.close());

  const docker = (...args: string[]) => host.mustDocker(...args);
  /** What a shell says inside a container that runs. */
  const sh = async (name: string, script: string) => {
    const pid = await docker("inspect", "-f", "{{.State.Pid}}", name);
    const inside = ["nsenter", "-t", pid, "-m", "/bin/sh", "-c", script];
    const { code, stdout, stderr } = await host.cluster.lab.exec(host.node.host, inside);
    expect(code, stderr).to.equal(0);
    return stdout.trim();
  };
  const put = (path: string, body: Buffer, more = "") =>
    ask(host.node.socket, `PUT /containers/box/archive?path=${path}${more}`, {
      headers: { "Content-Type": "application/x-tar" },
      body,
    });
  const openAnswer = (operation: string, isRead = true) =>
    openAnswerOf(host.node.socket, operation, isRead);
  const messageOf = (body: Buffer) => (JSON.parse(body.toString()) as { message: string }).message;
  const mountsNaming = (text: string) =>
    readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .filter((line) => line.includes(text));

  /** The client has its answer a moment before everything is put away. */
  const unmounted = (id: string) =>
    eventually("it is unmounted", () => mountsNaming(id).length === 0, DONE_MS);

  for (const { name, find } of DOCKER_CLIS)
    describe(`by ${name} command line`, () => {
      let stopped: string;

      before(async () => {
        host.cli = await find();
        await docker("run", "-d", "--name", "box", "-v", "vol:/vol", ...SLEEP);
        stopped = await docker("create", "--name", "still", "-v", "vol:/vol", ...SLEEP);
      });
      after(async () => {
        await docker("rm", "-f", "box", "still");
      });

      it("diff tells what was added, changed and removed", async () => {
        const script =
          "rm /etc/group; echo >> /etc/passwd; mkdir /new; touch /new/file; sleep 1000";
        await docker("run", "-d", "--name", "differs", ...LIVE, "sh", "-c", script);
        const changes = async () => (await docker("diff", "differs")).split("\n").sort();
        const expected = ["A /new", "A /new/file", "C /etc", "C /etc/passwd", "D /etc/group"];
        await eventually("all are told", async () => (await changes()).length === 5, DONE_MS);
        expect(await changes()).to.deep.equal(expected);
        await docker("rm", "-f", "differs");
        expect(await docker("diff", "still")).to.equal("");
        // A working directory is there, to be copied to, before the container runs.
        await docker("create", "--name", "early", "-w", "/made/dir", ...SLEEP);
        await docker("cp", join(folder, "one"), "early:/made/dir");
        const made = ["A /made", "A /made/dir", "A /made/dir/one"];
        expect((await docker("diff", "early")).split("\n")).to.deep.equal(made);
        // Where its mounts will be is there already, as in Docker.
        const archive = join(folder, "early.tar");
        await docker("export", "-o", archive, "early");
        const listed = await host.cluster.lab.exec(host.node.host, ["tar", "-tvf", archive]);
        expect(listed.stdout).to.match(/^-rwxr-xr-x .* \.dockerenv$/m);
        expect(listed.stdout).to.match(/^-rwxr-xr-x .* etc\/hosts$/m);
        expect(listed.stdout).to.match(/^drwxr-xr-x .* proc\/$/m);
        await docker("rm", "early");
      });

      it("export packs the root file system, of one that runs and of one that does not", async () => {
        for (const from of ["box", "still"]) {
          const archive = join(folder, "root.tar");
          await docker("export", "-o", archive, from);
          const listed = await host.cluster.lab.exec(host.node.host, ["tar", "-tf", archive]);
          expect(listed.stdout.split("\n")).to.include.members(["etc/passwd", "usr/bin/busybox"]);
        }
        await unmounted(stopped);
      });

      for (const to of ["box", "still"])
        it(`cp goes both ways: ${to === "box" ? "it runs" : "it does not"}`, async () => {
          await docker("cp", join(folder, "one"), `${to}:/tmp/two`);
          await docker("cp", join(folder, "one"), `${to}:/tmp`);
          await docker("cp", "-a", join(folder, "tree"), `${to}:/tmp`);
          await docker("cp", `${folder}/tree/.`, `${to}:/vol`);
          const back = join(folder, `back-${name.replaceAll("/", "")}-${to}`);
          mkdirSync(back);
          await docker("cp", `${to}:/tmp/two`, join(back, "three"));
          await docker("cp", `${to}:/tmp/one`, back);
          await docker("cp", `${to}:/tmp/tree`, back);
          await docker("cp", `${to}:/vol/.`, join(back, "vol"));
          expect(readFileSync(join(back, "three"), "utf8")).to.equal("one\n");
          expect(readFileSync(join(back, "one"), "utf8")).to.equal("one\n");
          expect(readlinkSync(join(back, "tree/sub/link"))).to.equal("../../leaf");
          expect(readFileSync(join(back, "vol/leaf"), "utf8")).to.equal("leaf\n");
          const { mode, mtimeMs } = lstatSync(join(back, "tree/leaf"));
          expect({ mode, mtimeMs }).to.deep.equal({ mode: 0o100640, mtimeMs: 1_000_000_000_000 });
          const { stdout } = await host.docker("cp", `${to}:/tmp/tree/leaf`, "-");
          expect(stdout.slice(108, 123)).to.equal("0002322\x000004451");
          expect(await host.failDocker("cp", `${to}:/nope`, back)).to.match(
            /Could not find the file \/nope in container |No such container:path: \w+:\/nope/,
          );
          expect(await host.failDocker("cp", join(folder, "one"), `${to}:/nope/x`)).to.match(
            /Could not find the file \/nope in container |no such directory|No such container:path/i,
          );
          expect(await host.failDocker("cp", join(folder, "tree"), `${to}:/etc/passwd`)).to.match(
            /cannot copy directory|cannot overwrite non-directory/,
          );
          if (to === "still") await unmounted(stopped);
        });

      it("cp follows links inside of the container only", async () => {
        await sh(
          "box",
          "ln -sfn /etc /tmp/abs; ln -sfn ../../../../../etc /tmp/rel; rm -f /etc/one",
        );
        await docker("cp", join(folder, "one"), "box:/tmp/abs");
        expect(await sh("box", "cat /etc/one; rm /etc/one")).to.equal("one");
        await docker("cp", join(folder, "one"), "box:/tmp/rel/");
        expect(await sh("box", "cat /etc/one")).to.equal("one");
        expect(existsSync("/etc/one")).to.equal(false);
        const { stdout } = await host.docker("cp", "-L", "box:/tmp/abs/passwd", "-");
        expect(stdout).to.contain("www-data:x:33:33:www-data:/var/www:/bin/false");
      });

      it("cp takes and gives archives by -", async () => {
        const archive = join(folder, "in.tar");
        writeFileSync(archive, packTar([{ name: "piped", content: "through", uid: 7, gid: 8 }]));
        const script = `${host.cli} -H unix://${host.node.socket} cp - box:/tmp < ${archive}`;
        const { code, stderr } = await host.cluster.lab.exec(host.node.host, ["sh", "-c", script]);
        expect(code, stderr).to.equal(0);
        expect(await sh("box", "stat -c %u:%g /tmp/piped; cat /tmp/piped")).to.equal(
          "7:8\nthrough",
        );
      });
    });

  describe("what containers use", () => {
    before(async () => {
      await docker("run", "-d", "--name", "busy", "busybox", "sh", "-c", "while :; do :; done");
      await docker("create", "--name", "idle", ...SLEEP);
    });
    after(async () => {
      await docker("rm", "-f", "busy", "idle");
    });

    for (const { name, find } of DOCKER_CLIS)
      it(`is shown by ${name} docker stats`, async () => {
        host.cli = await find();
        const format = "{{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.NetIO}} {{.PIDs}}";
        const row = /^busy ([\d.]+)% [\d.]+[KM]iB \/ [\d.]+GiB [\d.]+k?B \/ [\d.]+k?B 1$/;
        const look = async () =>
          (await docker("stats", "--no-stream", "--format", format, "busy", "idle")).split("\n");
        let rows: string[] = [];
        // The command line waits two seconds for an answer, which takes one: a loaded machine may be too late.
        const isTold = async () => {
          rows = await look();
          return row.test(rows[0] ?? "");
        };
        await eventually("it is told", isTold, DONE_MS);
        const [busy = "", idle] = rows;
        const [, percent = ""] = row.exec(busy) ?? [];
        // Of all processors together, and the machine may be busy with other things.
        expect(Number(percent), busy).to.be.within(0.01, cpus().length * 150);
        expect(idle).to.equal("idle 0.00% 0B / 0B 0B / 0B 0");
      });

    it("is what its processes have used, by rates of the API's two moments", async () => {
      const { json } = await host.ask("GET /containers/busy/stats?stream=false");
      const { cpu_stats: now, precpu_stats: before, read, preread } = json as Stats;
      const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage;
      expect(used).to.be.greaterThan(0);
      expect(Date.parse(read)).to.be.greaterThan(Date.parse(preread));
      expect(now.system_cpu_usage).to.be.greaterThan(before.system_cpu_usage);
      const once = await host.ask("GET /containers/busy/stats?stream=false&one-shot=true");
      expect((once.json as Stats).cpu_stats.cpu_usage.total_usage).to.be.greaterThan(
        before.cpu_usage.total_usage,
      );
      const odd = await host.ask("GET /containers/busy/stats?one-shot=true");
      expect(odd.status).to.equal(400);
      expect((await host.ask("GET /containers/nobody/stats")).status).to.equal(404);
    });

    it("is a stream that ends with the container", async () => {
      await docker("run", "-d", "--name", "brief", ...SLEEP);
      const { text, ended } = await openAnswer("GET /containers/brief/stats");
      await docker("rm", "-f", "brief");
      await ended;
      expect(JSON.parse(text().split("\n")[0] ?? "")).to.include({ name: "/brief" });
    });
  });

  it("muster's own commands: cp, diff, export, stats", async () => {
    const muster = (...args: string[]) => host.node.mustMuster(...args);
    await docker("run", "-d", "--name", "own", ...SLEEP);
    const [tree, back] = [join(folder, "tree"), join(folder, "own")];
    mkdirSync(back);
    await muster("cp", join(folder, "one"), "own:/root/two");
    await muster("cp", "-a", tree, "own:/root");
    await muster("cp", `${tree}/.`, "own:/root/flat");
    await sh("own", "ln -s two /root/link; rm /etc/group");
    expect(await sh("own", "cat /root/two /root/flat/leaf; stat -c %u /root/tree/leaf")).to.equal(
      "one\nleaf\n1234",
    );
    await muster("cp", "-L", "own:/root/link", back);
    await muster("cp", "own:/root/tree", back);
    await muster("cp", "own:/root/tree/.", join(back, "flat"));
    const text = (path: string) => readFileSync(join(back, path), "utf8");
    expect([text("link"), text("tree/leaf"), text("flat/leaf")]).to.deep.equal([
      ...["one\n", "leaf\n", "leaf\n"],
    ]);
    expect(readlinkSync(join(back, "tree/sub/link"))).to.equal("../../leaf");
    expect((await host.node.muster("cp", "own:/root/two", "-")).stdout).to.contain("one\n");
    expect((await host.node.muster("cp", "own:/nope", back)).stderr).to.equal(
      "Error response from daemon: Could not find the file /nope in container own\n",
    );
    const changes = (await muster("diff", "own")).split("\n");
    expect(changes).to.include.members(["C /etc", "D /etc/group", "A /root/two"]);
    await muster("export", "-o", join(back, "root.tar"), "own");
    expect(readFileSync(join(back, "root.tar")).includes("root/two")).to.equal(true);
    const format = "{{.Name}} {{.PIDs}}";
    expect(await muster("stats", "--no-stream", "--format", format, "own")).to.equal("own 1");
    const program = resolve(import.meta.dirname, "../../bin/muster");
    const stats = [program, "-H", `unix://${host.node.socket}`, "stats", "--format", format, "own"];
    const stdio: StdioOptions = ["ignore", "pipe", "inherit"];
    const watching = host.cluster.lab.spawn(host.node.host, stats, { stdio });
    let tables = "";
    watching.stdout?.on("data", (chunk: Buffer) => {
      tables += chunk;
    });
    await eventually("two tables", () => tables.startsWith("own 1\nown 1\n"), DONE_MS);
    const ended = once(watching, "exit");
    watching.kill("SIGINT");
    expect(await ended).to.deep.equal([0, null]);
    await docker("rm", "-f", "own");
  });

  describe("by the API", () => {
    before(async () => {
      const mount = ["-v", "vol:/vol", "-v", `${folder}:/host:ro`];
      await docker("run", "-d", "--name", "box", "-u", "33", ...mount, "--tmpfs", "/mem", ...SLEEP);
    });
    after(async () => {
      await docker("rm", "-f", "box");
    });

    it("the stat of a path is in a header, with Go's mode", async () => {
      await sh("box", "ln -sfn ../vol/x /tmp/lnk");
      const stat = async (path: string) => {
        const { status, headers } = await ask(
          host.node.socket,
          `HEAD /containers/box/archive?path=${path}`,
        );
        if (status !== 200) return status;
        const text = String(headers["x-docker-container-path-stat"]);
        return JSON.parse(Buffer.from(text, "base64").toString()) as Record<string, unknown>;
      };
      expect(await stat("/etc/passwd")).to.include({ name: "passwd", mode: 0o644, linkTarget: "" });
      expect(await stat("/tmp")).to.include({ name: "tmp", mode: 2 ** 31 + 2 ** 20 + 0o777 });
      expect(await stat("/tmp/lnk")).to.include({ name: "lnk", linkTarget: "/vol/x" });
      expect(await stat("/host/tree/leaf")).to.include({ name: "leaf", size: 5 });
      expect(await stat("/nope")).to.equal(404);
      expect(await stat("/etc/passwd/")).to.equal(400);
      expect(await stat("")).to.equal(400);
      expect(await stat("%00")).to.equal(400);
    });

    it("errors have Docker's words and codes", async () => {
      const get = (container: string, path: string) =>
        ask(host.node.socket, `GET /containers/${container}/archive?path=${path}`);
      const missing = await get("box", "/no/such");
      expect([missing.status, messageOf(missing.body)]).to.deep.equal([
        404,
        "Could not find the file /no/such in container box",
      ]);
      const nobody = await get("nobody", "/");
      expect([nobody.status, messageOf(nobody.body)]).to.deep.equal([
        404,
        "No such container: nobody",
      ]);
      const file = packTar([{ name: "x", content: "x" }]);
      for (const [path, status, words] of [
        ["/no/such", 404, "Could not find the file /no/such in container box"],
        ["/etc/passwd", 400, "extraction point is not a directory"],
        ["/etc/passwd/", 400, "not a directory"],
        ["/host", 403, "mounted volume is marked read-only"],
        ["/mem", 400, "it is in memory"],
        ["", 400, "bad parameter: path cannot be empty"],
      ] as const) {
        const answer = await put(path, file);
        expect(answer.status, path).to.equal(status);
        expect(messageOf(answer.body)).to.contain(words);
      }
      await docker("create", "--name", "sealed", "--read-only", "-v", "vol:/vol", ...SLEEP);
      const sealed = await ask(host.node.socket, "PUT /containers/sealed/archive?path=/tmp", {
        body: file,
      });
      expect([sealed.status, messageOf(sealed.body)]).to.deep.equal([
        403,
        "container rootfs is marked read-only",
      ]);
      await docker("cp", join(folder, "one"), "sealed:/vol");
      await docker("rm", "sealed");
    });

    it("of a part of a volume only that part is seen", async () => {
      await docker("cp", `${folder}/tree/.`, "box:/vol");
      const VolumeOptions = { Subpath: "sub" };
      const Mounts = [{ Type: "volume", Source: "vol", Target: "/part/", VolumeOptions }];
      const body = { Image: "busybox", HostConfig: { NetworkMode: "none", Mounts } };
      await host.ask("POST /containers/create?name=part", body);
      await docker("cp", join(folder, "one"), "part:/part");
      expect(await sh("box", "cat /vol/sub/one")).to.equal("one");
      await docker("rm", "part");
    });

    it("noOverwriteDirNonDir keeps files files and directories directories", async () => {
      const [file, directory] = [
        packTar([{ name: "kept", content: "x" }]),
        packTar([{ name: "kept/" }]),
      ];
      const sent = async (body: Buffer, more = "") => (await put("/tmp", body, more)).status;
      expect(await sent(directory)).to.equal(200);
      expect(await sent(file, "&noOverwriteDirNonDir=1")).to.equal(400);
      expect(await sent(file)).to.equal(200);
      expect(await sent(directory, "&noOverwriteDirNonDir=1")).to.equal(400);
      expect(await sh("box", "cat /tmp/kept")).to.equal("x");
    });

    it("copyUIDGID gives everything to the container's user", async () => {
      const body = packTar([{ name: "deep/er/own", content: "x", uid: 5, gid: 6 }]);
      expect((await put("/tmp", body, "&copyUIDGID=1")).status).to.equal(200);
      const owners = "stat -c %u:%g /tmp/deep /tmp/deep/er/own";
      expect(await sh("box", owners)).to.equal("33:33\n33:33");
      expect((await put("/tmp", body)).status).to.equal(200);
      expect(await sh("box", "stat -c %u:%g /tmp/deep/er/own")).to.equal("5:6");
    });

    it("what an archive names outside of its directory is refused", async () => {
      const canary = join(folder, "canary");
      writeFileSync(canary, "alive");
      const bad: [TarInput[], RegExp][] = [
        [[{ name: "../../x", content: "x" }], /outside of/],
        [[{ name: "a/../../x", content: "x" }], /outside of/],
        [[{ name: "x", type: "hardLink", linkName: "../../etc/passwd" }], /hard link is outside/],
        [[{ name: "x", type: "hardLink", linkName: "no/such" }], /no such file/],
        [[{ name: "white", type: "charDevice", major: 0, minor: 0 }], /operation not permitted/],
        [[{ name: ".", type: "symlink", linkName: "/" }], /cannot be replaced/],
      ];
      for (const [entries, words] of bad) {
        const { status, body } = await put("/tmp", packTar(entries));
        expect(status, messageOf(body)).to.be.within(400, 404);
        expect(messageOf(body)).to.match(words);
      }
      // An absolute name counts from the directory; links lead where the container itself would come to.
      const through = [
        { name: "/abs", content: "x" },
        { name: "out", type: "symlink", linkName: folder },
        { name: "out/canary", content: "dead" },
      ] as const;
      const { status } = await put("/tmp", packTar(through));
      expect(status).to.be.within(400, 404);
      expect(readFileSync(canary, "utf8")).to.equal("alive");
      expect(await sh("box", "cat /tmp/abs; readlink /tmp/out")).to.equal(`x${folder}`);
    });

    it("damaged archives and packed ones, clients that go half-way: nothing half is left", async () => {
      const whole = packTar([{ name: "half", content: Buffer.alloc(1_000_000, 1) }]);
      const { status, body } = await put("/tmp", whole.subarray(0, 500_000));
      expect([status, messageOf(body)]).to.deep.equal([
        400,
        "truncated archive: it ends inside an entry",
      ]);
      expect((await put("/tmp", Buffer.from("no archive".repeat(100)))).status).to.equal(400);
      const sent = request({
        socketPath: host.node.socket,
        method: "PUT",
        path: "/containers/box/archive?path=/tmp",
        headers: { "Content-Length": whole.length },
      });
      sent.on("error", () => {});
      sent.write(whole.subarray(0, 500_000));
      await eventually("it is begun", async () => (await names()).includes("half"), DONE_MS);
      sent.destroy();
      await eventually("it is gone", async () => !(await names()).includes("half"), DONE_MS);
      expect((await put("/tmp", gzipSync(whole))).status).to.equal(200);
      expect(await names()).to.include("half");
    });
    const names = async () => (await sh("box", "ls /tmp")).split("\n");

    it("a reader that goes half-way leaves no mount; a container is removed while it is read", async () => {
      const id = await docker("create", "--name", "read", ...SLEEP);
      await docker("cp", host.cli, "read:/tmp/large");
      const { leave } = await openAnswer("GET /containers/read/archive?path=/tmp", false);
      expect(mountsNaming(id)).to.have.length(1);
      leave();
      await unmounted(id);
      const unread = await openAnswer("GET /containers/read/export", false);
      await docker("start", "read");
      await docker("rm", "-f", "read");
      expect(mountsNaming(id)).to.deep.equal([]);
      unread.leave();
    });

    it("kill -9 of the daemon while one that does not run is read leaves no mount", async () => {
      const id = await docker("create", "--name", "cut", ...SLEEP);
      await docker("cp", host.cli, "cut:/tmp/large");
      await openAnswer("GET /containers/cut/archive?path=/tmp", false);
      expect(mountsNaming(id)).to.have.length(1);
      await host.node.kill("SIGKILL");
      await host.node.start();
      expect(mountsNaming(id)).to.deep.equal([]);
      await docker("start", "cut");
      expect(await sh("cut", "ls /tmp")).to.equal("large");
      await docker("rm", "-f", "cut");
    });

    it("a container that swaps directories and links meanwhile gets nobody out of it", async () => {
      const secret = join(folder, "secret");
      mkdirSync(secret);
      writeFileSync(join(secret, "f"), "host secret");
      // To the container the path of the secret is a directory of its own, with nothing in it.
      const script = `mkdir -p ${secret} /r/d; : > /r/d/f; ln -s ${secret} /r/l; while :; do mv /r/d /r/t; mv /r/l /r/d; mv /r/d /r/l; mv /r/t /r/d; done`;
      await docker("run", "-d", "--name", "racer", ...LIVE, "sh", "-c", script);
      const file = packTar([
        { name: "d/f", content: "written" },
        { name: "d/g", content: "new" },
      ]);
      for (let round = 0; round < 30; round++) {
        const { body } = await ask(host.node.socket, "GET /containers/racer/archive?path=/r");
        expect(body.includes("host secret")).to.equal(false);
        await ask(host.node.socket, "PUT /containers/racer/archive?path=/r", { body: file });
        const through = await ask(host.node.socket, "GET /containers/racer/archive?path=/r/d/f");
        expect(through.body.includes("host secret")).to.equal(false);
      }
      expect(readdirSync(secret)).to.deep.equal(["f"]);
      expect(readFileSync(join(secret, "f"), "utf8")).to.equal("host secret");
      await docker("rm", "-f", "racer");
    });
  });
});
