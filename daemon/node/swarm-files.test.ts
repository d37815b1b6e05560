import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { SwarmFiles, type SwarmState } from "./swarm-files.ts";

const recovery = { recovered: "manager.recovered", aside: "manager.before" };
const state: SwarmState = {
  listenAddr: "0.0.0.0:2377",
  advertiseAddr: "10.0.0.1:2377",
  managers: [],
  raftId: 7,
  raftJoined: true,
};

describe("node: a recovered log takes the place of the old one", () => {
  let root: string;
  let files: SwarmFiles;
  const path = (...names: string[]) => join(root, "swarm", ...names);
  const contentOf = (folder: string) =>
    existsSync(path(folder)) ? readFileSync(path(folder, "log"), "utf8") : undefined;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "muster-files-"));
    files = new SwarmFiles(root);
    for (const folder of ["manager", recovery.recovered]) {
      mkdirSync(path(folder), { recursive: true });
      writeFileSync(path(folder, "log"), folder);
    }
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const expectSwapped = () => {
    expect(contentOf("manager")).to.equal(recovery.recovered);
    expect(contentOf(recovery.aside)).to.equal("manager");
    expect(existsSync(path(recovery.recovered))).to.equal(false);
    expect(JSON.parse(readFileSync(path("state.json"), "utf8"))).to.deep.equal(state);
  };

  it("not before the state names it", () => {
    files.saveState(state);
    files.finishRecovery();
    expect(files.logFolder(state)).to.equal(path("manager"));
    expect(contentOf("manager")).to.equal("manager");
  });

  it("counts from then on, wherever a crash leaves the folders, and is put in place once", () => {
    files.saveState({ ...state, recovery });
    expect(files.logFolder({ ...state, recovery })).to.equal(path(recovery.recovered));
    files.finishRecovery();
    expectSwapped();
    files.finishRecovery();
    expectSwapped();
  });

  for (const { name, done } of [
    {
      name: "between the two renames",
      done: () => renameSync(path("manager"), path(recovery.aside)),
    },
    { name: "before the state forgets it", done: () => files.finishRecovery() },
  ]) {
    it(`is finished after a crash ${name}`, () => {
      files.saveState({ ...state, recovery });
      done();
      files.saveState({ ...state, recovery });
      expect(files.logFolder({ ...state, recovery })).to.equal(
        existsSync(path(recovery.recovered)) ? path(recovery.recovered) : path("manager"),
      );
      files.finishRecovery();
      expectSwapped();
    });
  }
});
