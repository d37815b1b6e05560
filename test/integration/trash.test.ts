import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { silentLog } from "../../core/log.ts";
import { Trash } from "../../runtime/image/store/trash.ts";

describe("image store: what is on its way out", () => {
  let root: string;
  let trash: Trash;
  const inTrash = () => readdirSync(join(root, "trash"));

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), "muster-trash-"));
    trash = await Trash.open(join(root, "trash"), silentLog);
  });
  afterEach(async () => {
    await trash.close();
    rmSync(root, { recursive: true });
  });

  function make(name: string): string {
    mkdirSync(join(root, name, "deep/er"), { recursive: true });
    writeFileSync(join(root, name, "deep/er/file"), "");
    return join(root, name);
  }

  it("is gone from its place at once, and from the disk soon", async () => {
    const path = make("one");
    await trash.take(path);
    expect(existsSync(path)).to.equal(false);
    const again = make("one");
    await trash.take(again);
    await trash.emptied();
    expect(readdirSync(root)).to.deep.equal(["trash"]);
    expect(inTrash()).to.deep.equal([]);
  });

  it("keeps its files until what must be over is over", async () => {
    let end = () => {};
    const busy = new Promise<void>((resolve) => {
      end = resolve;
    });
    await trash.take(make("busy"), busy);
    expect(existsSync(join(root, "trash/1/deep/er/file"))).to.equal(true);
    end();
    await trash.emptied();
    expect(inTrash()).to.deep.equal([]);
  });

  it("leaves what it has when it is closed; the next one removes it", async () => {
    const closed = trash.close();
    await trash.take(make("late"));
    await closed;
    await trash.emptied();
    expect(inTrash()).to.deep.equal(["1"]);
    trash = await Trash.open(join(root, "trash"), silentLog);
    expect(inTrash()).to.deep.equal([]);
  });

  it("takes nothing where nothing is", async () => {
    await trash.take(join(root, "none"));
    expect(inTrash()).to.deep.equal([]);
  });
});
