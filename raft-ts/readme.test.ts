import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";

const README = readFileSync(new URL("./README.md", import.meta.url), "utf8");
const IMPORT_PATH = '"./raft-ts/index.ts"';

/** What the example prints, run as it stands but for where the library is. */
async function runExample(code: string): Promise<unknown[][]> {
  const dir = mkdtempSync(join(tmpdir(), "raft-ts-readme-"));
  const printed: unknown[][] = [];
  const { log } = console;
  try {
    const file = join(dir, "example.mts");
    const library = new URL("./index.ts", import.meta.url).href;
    writeFileSync(file, code.replace(IMPORT_PATH, JSON.stringify(library)));
    console.log = (...line: unknown[]) => printed.push(line);
    await import(pathToFileURL(file).href);
  } finally {
    console.log = log;
    rmSync(dir, { recursive: true });
  }
  return printed;
}

describe("raft: the example in the README", () => {
  it("elects a leader and applies what it proposed at every member", async function () {
    this.timeout(10_000);
    const code = /```ts\n(.*?)```/s.exec(README)?.[1] ?? "";
    expect(code).to.include(IMPORT_PATH);
    const printed = await runExample(code);
    const said = printed.filter(([, , text]) => text !== "");
    expect(said.sort()).to.deep.equal([1, 2, 3].map((id) => [id, 5, "hello"]));
  });
});
