import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";

const ROOT = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

/** Runs a tool of node_modules at the root; throws with its output when it is not content. */
async function tool(name: string, ...args: string[]): Promise<void> {
  try {
    await run(join(ROOT, "node_modules/.bin", name), args, {
      cwd: ROOT,
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${name} ${args.join(" ")}:\n${stdout}${stderr}`);
  }
}

describe("tools: what they check, holds", function () {
  this.timeout(300_000);

  it("biome finds nothing", async () => {
    await tool("biome", "check", "--error-on-warnings", ".");
  });

  it("the promise rules find nothing", async () => {
    await tool("oxlint", "--type-aware", "--deny-warnings", ".");
  });

  it("buf lint finds nothing", async () => {
    await tool("buf", "lint");
  });

  it("the generated code is what the proto files give", async () => {
    const scratch = mkdtempSync(join(tmpdir(), "muster-generate-"));
    try {
      await tool("buf", "generate", "--output", scratch);
      const fresh = join(scratch, "proto/gen");
      const kept = join(ROOT, "proto/gen");
      expect(readdirSync(fresh).sort()).to.deep.equal(readdirSync(kept).sort());
      for (const name of readdirSync(fresh)) {
        const same =
          readFileSync(join(fresh, name), "utf8") === readFileSync(join(kept, name), "utf8");
        expect(same, `proto/gen/${name}: run npm run generate`).to.equal(true);
      }
    } finally {
      rmSync(scratch, { recursive: true });
    }
  });
});
