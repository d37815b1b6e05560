import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";

const ROOT = resolve(import.meta.dirname, "../..");
const CODE = ["api", "cli", "core", "daemon", "manager", "proto", "raft-ts", "runtime", "worker"];
const LIMIT = /`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:MAX|MIN|MS|RATE|BURST))`/g;

/** Files below `folder` with the ending, as absolute paths. */
function filesOf(folder: string, ending: string): string[] {
  return readdirSync(resolve(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(ending))
    .map((path) => resolve(ROOT, folder, path));
}

describe("tidy: limits named in documents", () => {
  it("are in the code by the same names", () => {
    const code = CODE.flatMap((folder) => filesOf(folder, ".ts"))
      .map((path) => readFileSync(path, "utf8"))
      .join("\n");
    const declared = new Set([...code.matchAll(/\bconst ([A-Z][A-Z0-9_]*)\b/g)].map(([, n]) => n));
    const named = filesOf("docs", ".md").flatMap((path) =>
      [...readFileSync(path, "utf8").matchAll(LIMIT)].map(([, name]) => name),
    );
    expect(named).to.include("JOIN_RATE");
    expect(named.filter((name) => !declared.has(name))).to.deep.equal([]);
  });
});
