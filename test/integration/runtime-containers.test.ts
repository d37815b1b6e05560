import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { silentLog } from "../../core/log.ts";
import { maybeRotate } from "../../runtime/container/log/log-rotator.ts";
import { NO_LIMITS } from "../../runtime/container/settings.ts";
import type { ContainerEvent } from "../../runtime/container/types.ts";
import { Engine } from "../../runtime/engine.ts";
import { eventually } from "../support/eventually.ts";
import {
  busyboxConfig,
  destroyEngine,
  type EngineRoots,
  findCgroups,
  findLeftovers,
  makeRoots,
  openEngine,
  readAll,
} from "../support/runtime/engine-fixture.ts";

const ALL_LOGS = {
  stdout: true,
  stderr: true,
  follow: false,
  tail: -1,
  sinceMs: 0,
  untilMs: 0,
} as const;

describe("runtime: containers", function () {
  this.timeout(30_000);
  let roots: EngineRoots;
  let engine: Engine;

  before(async () => {
    roots = makeRoots();
    engine = await openEngine(roots);
  });

  after(async () => {
    await destroyEngine(engine, roots);
    expect(findLeftovers(roots.base)).to.deep.equal([]);
  });

  async function run(...args: Parameters<typeof busyboxConfig>) {
    const { id } = await engine.containers.create(busyboxConfig(...args));
    await engine.containers.start(id);
    const { exitCode } = await engine.containers.wait(id);
    const text = await readAll(engine.containers.logs(id, ALL_LOGS));
    const container = engine.containers.get(id);
    await engine.containers.remove(id);
    return { exitCode, text, container };
  }

  it("runs a program to its end, keeps its exit code and tells of each step", async () => {
    const events: ContainerEvent[] = [];
    const stop = engine.containers.onEvent((event) => events.push(event));
    const { exitCode, container } = await run("exit-code", ["sh", "-c", "exit 3"]);
    stop();
    expect(exitCode).to.equal(3);
    expect(container.state).to.equal("exited");
    expect(container.oomKilled).to.equal(false);
    expect(events.map(({ kind }) => kind)).to.deep.equal([
      "created",
      "started",
      "exited",
      "removed",
    ]);
  });

  it("confines a container as Docker does", async () => {
    const script = [
      "grep CapEff /proc/self/status",
      "grep Seccomp: /proc/self/status",
      "grep -E ' (sysfs|cgroup|cgroup2) ' /proc/mounts | grep -cv ' ro,'",
      "ls /sys/firmware | wc -l",
      "ls /proc/self/fd | wc -l",
      "ip link | grep -c UP",
      "id",
    ].join("; ");
    const { text } = await run("confined", ["sh", "-c", script]);
    expect(text).to.include("CapEff:\t00000000a80425fb\n");
    expect(text).to.include("Seccomp:\t2\n");
    // No writable /sys; its firmware is masked; ls has its three and the folder it lists, nothing of ours; lo is up and alone.
    expect(text).to.match(/\n0\n0\n4\n1\n/);
    expect(text).to.include("uid=0(root)");
  });

  it("runs as the user, in the folder and with the environment asked for", async () => {
    const { text } = await run("as-user", ["sh", "-c", "id; pwd; echo $HOME $A; hostname"], {
      user: "www-data",
      groups: ["nogroup"],
      workdir: "/var/made/for/it",
      env: ["A=b"],
      hostname: "web-1",
    });
    expect(text).to.equal(
      "uid=33(www-data) gid=33(www-data) groups=33(www-data),65534(nogroup)\n/var/made/for/it\n/var/www b\nweb-1\n",
    );
  });

  it("keeps both streams in order and can give the last lines of one", async () => {
    const script = "for i in 1 2 3; do echo out $i; echo err $i >&2; done; printf open >&2";
    const { id } = await engine.containers.create(busyboxConfig("streams", ["sh", "-c", script]));
    await engine.containers.start(id);
    await engine.containers.wait(id);
    const read = (query: object) => readAll(engine.containers.logs(id, { ...ALL_LOGS, ...query }));
    expect((await read({ stderr: false })).split("\n")).to.deep.equal([
      "out 1",
      "out 2",
      "out 3",
      "",
    ]);
    // What has no end of line yet is a line too.
    expect(await read({ stdout: false, tail: 2 })).to.equal("err 3\nopen");
    await engine.containers.remove(id);
  });

  it("follows a log until the container ends", async () => {
    const script = "for i in 1 2 3 4 5; do echo line $i; sleep 0.05; done";
    const { id } = await engine.containers.create(busyboxConfig("follow", ["sh", "-c", script]));
    await engine.containers.start(id);
    const text = await readAll(engine.containers.logs(id, { ...ALL_LOGS, follow: true }));
    expect(text).to.equal("line 1\nline 2\nline 3\nline 4\nline 5\n");
    await engine.containers.remove(id, { force: true });
  });

  it("puts a log aside that grows too long, and a reader that follows misses nothing", async () => {
    const script =
      'read go; i=0; while [ $i -lt 2000 ]; do echo "line $i"; i=$((i+1)); done; read go';
    const fifo = "mkfifo /go && exec <> /go";
    const { id } = await engine.containers.create(
      busyboxConfig("rotated", ["sh", "-c", `${fifo}; ${script}`]),
    );
    await engine.containers.start(id);
    const text = readAll(engine.containers.logs(id, { ...ALL_LOGS, follow: true }));
    const go = () => engine.containers.exec(id, ["sh", "-c", "echo > /go"], 5000);
    const path = join(roots.dataRoot, "containers", id, "container.log");
    const last = () => readAll(engine.containers.logs(id, { ...ALL_LOGS, tail: 1 }));
    await go();
    await eventually("all is written", async () => (await last()) === "line 1999\n");
    await maybeRotate({
      path,
      controlPath: join(roots.execRoot, "containers", id, "ctl"),
      // Far below its own, so that the engine's rotator keeps out of this.
      limits: { kind: "file", journal: false, sizeBytesMax: 1024, filesMax: 3 },
    });
    await eventually("a new file is begun", () => existsSync(path) && existsSync(`${path}.1`));
    expect(statSync(path).size).to.equal(0);
    expect(await last()).to.equal("line 1999\n");
    await go();
    const expected = Array.from({ length: 2000 }, (_, index) => `line ${index}\n`);
    expect(await text).to.equal(expected.join(""));
    await engine.containers.remove(id);
  });

  it("stops by the signal asked for", async () => {
    const script = "trap 'exit 42' USR1; echo ready; while true; do sleep 0.02; done";
    const { id } = await engine.containers.create(
      busyboxConfig("graceful", ["sh", "-c", script], { stopSignal: "SIGUSR1" }),
    );
    await engine.containers.start(id);
    await eventually(
      "the trap is set",
      async () => (await readAll(engine.containers.logs(id, ALL_LOGS))) === "ready\n",
    );
    await engine.containers.stop(id);
    expect(engine.containers.get(id).exitCode).to.equal(42);
    await engine.containers.remove(id);
  });

  it("kills what does not stop in time", async () => {
    const script = "trap '' TERM; echo ready; exec sleep 1000";
    const { id } = await engine.containers.create(busyboxConfig("stubborn", ["sh", "-c", script]));
    await engine.containers.start(id);
    // Until then it may be the runtime's own process that gets the signal, and does not ignore it.
    await eventually(
      "its program runs",
      async () => (await readAll(engine.containers.logs(id, ALL_LOGS))) === "ready\n",
    );
    await engine.containers.stop(id, { timeoutMs: 50 });
    expect(engine.containers.get(id)).to.include({ state: "exited", exitCode: 137 });
    await engine.containers.remove(id);
  });

  it("says when the kernel killed it for want of memory", async () => {
    const { container } = await run("hungry", ["sh", "-c", "x=a; while true; do x=$x$x; done"], {
      limits: { ...NO_LIMITS, memoryBytes: 16 * 1024 * 1024 },
    });
    expect(container).to.include({ state: "exited", oomKilled: true, exitCode: 137 });
  });

  it("writes the limits where the kernel reads them", async () => {
    const limits = { ...NO_LIMITS, nanoCpus: 500_000_000, memoryBytes: 64 * 1024 * 1024, pids: 20 };
    const { id } = await engine.containers.create(
      busyboxConfig("limited", ["sleep", "1000"], { limits }),
    );
    await engine.containers.start(id);
    const read = (file: string) =>
      findCgroups("/sys/fs/cgroup", id)
        .map((dir) => tryRead(`${dir}/${file}`))
        .find((text) => text !== undefined);
    expect(read("memory.limit_in_bytes") ?? read("memory.max")).to.equal(
      String(limits.memoryBytes),
    );
    expect(read("pids.max")).to.equal("20");
    expect(read("cpu.cfs_quota_us") ?? read("cpu.max")).to.match(/^50000( 100000)?$/);
    await engine.containers.remove(id, { force: true });
    expect(findLeftovers(id)).to.deep.equal([]);
  });

  it("says in the runtime's words why a program cannot be started, and leaves nothing", async () => {
    const { id } = await engine.containers.create(busyboxConfig("nothing", ["/no/such/program"]));
    let error: unknown;
    await engine.containers.start(id).catch((reason: unknown) => {
      error = reason;
    });
    expect(error).to.match(/no such file or directory/);
    expect(engine.containers.get(id)).to.include({ state: "created", exitCode: 127 });
    expect(findLeftovers(id)).to.deep.equal([]);
    await engine.containers.remove(id);
  });

  it("starts again what has ended, with its files as it left them", async () => {
    const { id } = await engine.containers.create(
      busyboxConfig("again", ["sh", "-c", "echo x >> /count; cat /count | wc -l"]),
    );
    for (const _ of [1, 2]) {
      await engine.containers.start(id);
      await engine.containers.wait(id);
    }
    expect(await readAll(engine.containers.logs(id, ALL_LOGS))).to.equal("1\n2\n");
    await engine.containers.remove(id);
  });

  it("refuses a name twice, removal while it runs, and an unknown image", async () => {
    const { containers } = engine;
    const { id } = await containers.create(busyboxConfig("taken", ["sleep", "1000"]));
    await expectCode(containers.create(busyboxConfig("taken", ["true"])), "AlreadyExists");
    await containers.start(id);
    await expectCode(containers.start(id), "FailedPrecondition");
    await expectCode(containers.remove(id), "FailedPrecondition");
    await expectCode(
      containers.create(busyboxConfig("lost", ["true"], { image: "no-such-image" })),
      "NotFound",
    );
    await containers.remove(id, { force: true });
    await expectCode(containers.start(id), "NotFound");
  });

  it("runs an init process before the program when asked, and gives a terminal when asked", async () => {
    const init = await run("with-init", ["cat", "/proc/1/comm"], { init: true });
    expect(init.text).to.equal("docker-init\n");
    const tty = await run("with-tty", ["sh", "-c", "test -t 1 && echo a terminal"], { tty: true });
    expect(tty.text).to.equal("a terminal\r\n");
  });

  it("fills a new named volume from the image and keeps it when the container goes", async () => {
    const mounts = [volumeAt("/etc"), volumeAt("/no/such/folder", "other")];
    const first = await run("fill", ["sh", "-c", "ls /etc/passwd; echo mine > /etc/mine"], {
      mounts,
    });
    expect(first.text).to.equal("/etc/passwd\n");
    const second = await run("keep", ["cat", "/etc/mine"], { mounts });
    expect(second.text).to.equal("mine\n");
    await engine.volumes.remove("files");
    await engine.volumes.remove("other");
    expect(engine.volumes.list()).to.deep.equal([]);
  });

  it("names the package when the runtime is not installed", async () => {
    const opened = Engine.open({ ...roots, log: silentLog, defaultRuntime: "runsc" });
    await expectCode(opened, "FailedPrecondition");
    await opened.catch((error) => expect(error).to.match(/runsc.*apt-get install runsc/));
  });

  it("starts twenty at once, each with its own", async () => {
    const names = Array.from({ length: 20 }, (_, index) => `many-${index}`);
    const results = await Promise.all(names.map((name) => run(name, ["sh", "-c", `echo ${name}`])));
    expect(results.map(({ text }) => text.trim())).to.deep.equal(names);
    // A conmon is a few instructions from its end when its container is gone.
    await eventually("all is gone", () => findLeftovers(roots.execRoot).length === 0);
  });
});

function volumeAt(target: string, source = "files") {
  return {
    type: "volume",
    source,
    target,
    readOnly: false,
    propagation: "",
    tmpfsSizeBytes: 0,
    tmpfsMode: 0,
    noCopy: false,
  } as const;
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}

async function expectCode(work: Promise<unknown>, code: string): Promise<void> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).to.include({ code });
}
