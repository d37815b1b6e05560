import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { ContainerFile, ContainerId } from "../../runtime/container/types.ts";
import type { Engine } from "../../runtime/engine.ts";
import { eventually } from "../support/eventually.ts";
import {
  busyboxConfig,
  destroyEngine,
  type EngineRoots,
  findLeftovers,
  makeRoots,
  openEngine,
} from "../support/runtime/engine-fixture.ts";

const PASSWORD = "correct-horse-battery-staple";

function file(target: string, text: string, more: Partial<ContainerFile> = {}): ContainerFile {
  return { target, uid: 0, gid: 0, mode: 0o444, data: Buffer.from(text), ...more };
}

/** Files below `dir` in which `needle` stands. */
function filesWith(dir: string, needle: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return filesWith(path, needle);
    return entry.isFile() && readFileSync(path).includes(needle) ? [path] : [];
  });
}

describe("runtime: files given to a container at its start", function () {
  this.timeout(40_000);
  let roots: EngineRoots;
  let engine: Engine;

  beforeEach(async () => {
    roots = makeRoots();
    engine = await openEngine(roots);
  });

  afterEach(async () => {
    await destroyEngine(engine, roots);
    await eventually("nothing is left", () => findLeftovers(roots.base).length === 0);
  });

  const start = async (name: string, files: readonly ContainerFile[]): Promise<ContainerId> => {
    const { id } = await engine.containers.create(busyboxConfig(name, ["sleep", "1000"]));
    await engine.containers.start(id, { files });
    return id;
  };
  const run = async (id: ContainerId, command: string) => {
    const { output, exitCode } = await engine.containers.exec(id, ["sh", "-c", command], 10_000);
    return `${output.trim()} ${exitCode}`;
  };

  it("are there with owner and mode, read-only, and run nothing", async () => {
    const id = await start("reads", [
      file("/run/secrets/password", PASSWORD, { uid: 33, gid: 34, mode: 0o440 }),
      file("/etc/app/site.conf", "#!/bin/sh\necho ran", { mode: 0o555 }),
    ]);
    expect(await run(id, "cat /run/secrets/password")).to.equal(`${PASSWORD} 0`);
    expect(await run(id, "stat -c '%u %g %a' /run/secrets/password")).to.equal("33 34 440 0");
    expect(await run(id, "echo x > /run/secrets/password")).to.match(/Read-only file system 1$/);
    expect(await run(id, "/etc/app/site.conf")).to.match(/Permission denied 126$/);
    const mounts = await run(id, "grep ' /run/secrets/password ' /proc/self/mounts");
    expect(mounts).to.match(/^muster \S+ tmpfs ro,nosuid,nodev,noexec/);
    expect(await run(id, "umount /run/secrets/password")).to.match(/1$/);
  });

  it("are on no disk, and gone with the run", async () => {
    const id = await start("secret", [file("/run/secrets/password", PASSWORD)]);
    expect(filesWith(roots.dataRoot, PASSWORD)).to.deep.equal([]);
    const held = filesWith(roots.execRoot, PASSWORD);
    expect(held).to.have.length(1);
    // Another device than the folder it is in: a file system of its own, which the mount test above names.
    expect(statSync(held[0] ?? "").dev).to.not.equal(statSync(roots.execRoot).dev);
    await engine.containers.stop(id, { timeoutMs: 0 });
    await eventually("its mounts are gone", () => findLeftovers(id).length === 0);
    expect(filesWith(roots.execRoot, PASSWORD)).to.deep.equal([]);
  });

  it("stay with a container whose engine went away", async () => {
    const id = await start("stays", [file("/run/secrets/password", PASSWORD)]);
    await engine.close();
    engine = await openEngine(roots);
    expect(await run(id, "cat /run/secrets/password")).to.equal(`${PASSWORD} 0`);
  });

  it("may hold a megabyte each, and every byte arrives", async () => {
    const data = Buffer.alloc(1_024_000, "0123456789abcdef");
    const files = [0, 1, 2].map((i) => file(`/c${i}`, "", { data }));
    const id = await start("large", files);
    expect(await run(id, "wc -c < /c2; cmp /c0 /c2")).to.equal("1024000 0");
  });

  it("are refused where something else is mounted, and nothing is left", async () => {
    const two = [file("/run/secrets/a", "1"), file("/run/secrets/../secrets/a", "2")];
    const { id } = await engine.containers.create(busyboxConfig("twice", ["sleep", "1000"]));
    const failure = await engine.containers.start(id, { files: two }).catch((error) => error);
    expect(String(failure)).to.match(/there twice|must not/);
    await eventually("its mounts are gone", () => findLeftovers(id).length === 0);
  });
});
