import { execFile } from "node:child_process";
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
  let full: string;

  before(async () => {
    roots = makeRoots();
    engine = await openEngine(roots);
    full = join(roots.dataRoot, "containers");
    // Room for its own root and nothing else.
    await run("mount", ["-t", "tmpfs", "-o", "nr_inodes=1", "tmpfs", full]);
  });
  after(async () => {
    await run("umount", [full]);
    await destroyEngine(engine, roots);
  });

  it("is called by its name, and what was begun is gone", async () => {
    const error = await failureOf(engine.containers.create(busyboxConfig("full", ["true"])));
    expect(error).to.include({
      code: "ResourceExhausted",
      message: "cannot create container full: no space left on device (ENOSPC)",
    });
    expect(engine.containers.list()).to.deep.equal([]);
  });
});
