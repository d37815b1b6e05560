import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import type { Engine } from "../../runtime/engine.ts";
import { failureOf } from "../support/failure-of.ts";
import {
  busyboxConfig,
  destroyEngine,
  type EngineRoots,
  makeRoots,
  openEngine,
} from "../support/runtime/engine-fixture.ts";

const run = promisify(execFile);

describe("runtime: a full disk", function () {
  this.timeout(40_000);
  let roots: EngineRoots;
  let engine: Engine;
  let full: string[];

  before(async () => {
    roots = makeRoots();
    engine = await openEngine(roots);
    full = ["containers", "volumes"].map((name) => join(roots.dataRoot, name));
    const [containers = "", volumes = ""] = full;
    // Room for its own root and nothing else; room for two directories more.
    await run("mount", ["-t", "tmpfs", "-o", "nr_inodes=1", "tmpfs", containers]);
    await run("mount", ["-t", "tmpfs", "-o", "nr_inodes=3", "tmpfs", volumes]);
  });
  after(async () => {
    for (const mounted of full) await run("umount", [mounted]);
    await destroyEngine(engine, roots);
  });

  it("is called by its name, and what was begun of a container is gone", async () => {
    const error = await failureOf(engine.containers.create(busyboxConfig("full", ["true"])));
    expect(error).to.include({
      code: "ResourceExhausted",
      message: "cannot create container full: no space left on device (ENOSPC)",
    });
    expect(engine.containers.list()).to.deep.equal([]);
  });

  it("leaves no half of a volume, which would be one at the next start", async () => {
    const error = await failureOf(engine.volumes.create({ name: "half" }));
    expect(error.code).to.equal("ResourceExhausted");
    expect(error.message).to.contain("no space left on device (ENOSPC)");
    expect(readdirSync(full[1] ?? "")).to.deep.equal([]);
    expect(engine.volumes.list()).to.deep.equal([]);
  });
});
