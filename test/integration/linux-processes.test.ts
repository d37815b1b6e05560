import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { systemClock } from "../../core/system-clock.ts";
import { closeOnExecAll, makeFifo } from "../../runtime/linux/descriptors.ts";
import {
  detach,
  isMountPoint,
  mountOverlay,
  unmount,
  unmountAside,
} from "../../runtime/linux/mount.ts";
import { readInRoot } from "../../runtime/linux/open-in-root.ts";
import { findProcess, signalProcess } from "../../runtime/linux/process.ts";
import { runProgram } from "../../runtime/linux/run.ts";
import { SealedProgram } from "../../runtime/linux/sealed-program.ts";
import { reap, spawnSession } from "../../runtime/linux/spawn.ts";

const SIGKILL = 9;

describe("linux: processes, mounts and files", function () {
  this.timeout(20_000);
  let dir: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "muster-linux-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const sh = (script: string, limits = { outputBytesMax: 1000, timeoutMs: 10_000 }) =>
    runProgram({ path: "/bin/sh", args: ["-c", script], ...limits }, systemClock);

  it("runs a program and gives its code and both its outputs", async () => {
    expect(await sh("echo out; echo err >&2; exit 3")).to.deep.equal({
      exitCode: 3,
      output: "out\nerr\n",
      timedOut: false,
    });
    expect((await sh("kill -TERM $$")).exitCode).to.equal(143);
  });

  it("cuts output that is too long and ends a program that takes too long", async () => {
    const long = await sh("yes | head -c 1000000", { outputBytesMax: 100, timeoutMs: 10_000 });
    expect(long).to.include({ exitCode: 0 }).and.have.property("output").with.length(100);
    const slow = await sh("exec sleep 1000", { outputBytesMax: 100, timeoutMs: 50 });
    expect(slow).to.include({ exitCode: 137, timedOut: true });
  });

  it("loses nothing of what a program wrote just before its end", async () => {
    for (let round = 0; round < 50; round++)
      expect((await sh("head -c 900 /dev/zero")).output).to.have.length(900);
  });

  it("gives a child a session of its own, its folder and nothing of ours", async () => {
    closeOnExecAll();
    const output = join(dir, "output");
    const script = `{ pwd; env; ls /proc/self/fd; grep SigIgn /proc/self/status; ps -o sid= -p $$; } > ${output}`;
    const pid = spawnSession({
      path: "/bin/sh",
      argv: ["sh", "-c", script],
      env: ["A=1"],
      cwd: "/usr",
      fds: [null, null, null],
    });
    expect(await reap(pid)).to.equal(0);
    const text = readFileSync(output, "utf8");
    expect(text)
      .to.match(/^\/usr\n/)
      .and.include("A=1\n")
      .and.not.include("HOME=");
    // 3 is ls's own.
    expect(text).to.include("\n0\n1\n2\n3\nSigIgn:\t0000000000000000\n");
    expect(text.trim().split(/\s+/).at(-1)).to.equal(String(pid));
  });

  it("says which program is not there", () => {
    const options = { path: "/no/program", argv: [], env: [], cwd: "/", fds: [] };
    expect(() => spawnSession(options))
      .to.throw(ClusterError, "cannot start /no/program")
      .with.property("code", "NotFound");
  });

  it("starts a program from a copy that nobody can change, made anew when the file is another", async () => {
    const file = join(dir, "said");
    writeFileSync(file, "#!/bin/sh\necho one\n", { mode: 0o755 });
    const program = new SealedProgram(file);
    const run = () =>
      runProgram(
        { path: program.path, args: [], outputBytesMax: 10, timeoutMs: 9000 },
        systemClock,
      );
    expect((await run()).output).to.equal("one\n");
    const { path } = program;
    expect(path)
      .to.match(/^\/proc\/\d+\/fd\/\d+$/)
      .and.equal(program.path);
    expect(() => writeFileSync(path, "changed")).to.throw(/EPERM|ETXTBSY|EINVAL/);
    writeFileSync(`${file}.new`, "#!/bin/sh\necho three\n", { mode: 0o755 });
    renameSync(`${file}.new`, file);
    expect((await run()).output).to.equal("three\n");
    rmSync(file);
    expect(() => program.path).to.throw(file);
  });

  it("takes a mount away at once and gives it up aside", async () => {
    for (const part of ["lower", "upper", "work", "merged"]) mkdirSync(join(dir, part));
    const target = join(dir, "merged");
    const upper = { dir: join(dir, "upper"), workDir: join(dir, "work") };
    mountOverlay({ lowerDirs: [join(dir, "lower")], upper, target });
    writeFileSync(join(target, "file"), "");
    const { released } = await detach(target);
    expect(isMountPoint(target)).to.equal(false);
    await released;
    expect(readdirSync(upper.dir)).to.deep.equal(["file"]);
    for (const nothing of [target, join(dir, "none")]) await (await detach(nothing)).released;
  });

  it("signals a process, and never another that has its pid", async () => {
    const pid = spawnSession({
      path: "/bin/sleep",
      argv: ["sleep", "1000"],
      env: [],
      cwd: "/",
      fds: [null, null, null],
    });
    const child = findProcess(pid);
    if (child === undefined) throw new Error("the child is not there");
    expect(signalProcess({ ...child, startTicks: child.startTicks + 1 }, SIGKILL)).to.equal(false);
    expect(signalProcess(child, SIGKILL)).to.equal(true);
    expect(await reap(pid)).to.equal(128 + SIGKILL);
    expect(findProcess(pid)).to.equal(undefined);
    expect(signalProcess(child, SIGKILL)).to.equal(false);
  });

  it("reads files of a root, whose links cannot lead outside", () => {
    const root = join(dir, "root");
    mkdirSync(join(root, "etc"), { recursive: true });
    writeFileSync(join(dir, "secret"), "outside");
    writeFileSync(join(root, "secret"), "inside");
    symlinkSync("/secret", join(root, "etc/absolute"));
    symlinkSync("../../../../secret", join(root, "etc/relative"));
    symlinkSync("loop", join(root, "etc/loop"));
    symlinkSync("/proc/self/root/secret", join(root, "etc/magic"));
    makeFifo(join(root, "etc/fifo"));
    const read = (path: string) => readInRoot(root, path, 100)?.toString();
    expect(read("/etc/absolute")).to.equal("inside");
    expect(read("etc/relative")).to.equal("inside");
    expect(read("../../secret")).to.equal("inside");
    expect(read("/etc/magic")).to.equal(undefined);
    expect(read("/etc/none")).to.equal(undefined);
    expect(() => read("/etc/loop")).to.throw(ClusterError, "ELOOP");
    expect(() => read("/etc/fifo")).to.throw(ClusterError, "not a file");
    expect(() => readInRoot(root, "/secret", 3)).to.throw(ClusterError, "longer than 3 bytes");
  });

  it("mounts an overlay, also of more and stranger paths than options can hold", async () => {
    const strange = join(dir, `a,b:c\\d ${"x".repeat(180)}`);
    const lowerDirs = Array.from({ length: 40 }, (_, index) => join(strange, String(index)));
    const [upperDir, workDir, target] = ["upper", "work", "target"].map((name) =>
      join(strange, name),
    );
    if (upperDir === undefined || workDir === undefined || target === undefined) throw new Error();
    for (const path of [...lowerDirs, upperDir, workDir, target])
      mkdirSync(path, { recursive: true });
    for (const [index, path] of lowerDirs.entries()) writeFileSync(join(path, "file"), `${index}`);

    mountOverlay({ lowerDirs, upper: { dir: upperDir, workDir }, target });
    expect(isMountPoint(target)).to.equal(true);
    expect(readFileSync(join(target, "file"), "utf8")).to.equal("0");
    await unmountAside(target);
    expect(isMountPoint(target)).to.equal(false);
    // Once more changes nothing.
    await unmountAside(target);
    unmount(target);
    unmount(join(dir, "none"));
  });
});
