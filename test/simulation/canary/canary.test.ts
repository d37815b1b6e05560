import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { expect } from "chai";
import { CANARIES, type Canary } from "./canaries.ts";

const RUN = resolve(import.meta.dirname, "../run.ts");
const PLANT = resolve(import.meta.dirname, "plant.ts");

interface Outcome {
  readonly code: number;
  readonly output: string;
}

/** Runs the suite with the canary planted, until the first run that fails. */
function runWith(name: string, { suite, from, runsMax }: Canary): Promise<Outcome> {
  const args = ["--import", "tsx", "--import", PLANT, RUN];
  const options = ["--suite", suite, "--from", String(from), "--runs", String(runsMax)];
  return new Promise((done) => {
    execFile(
      process.execPath,
      [...args, ...options],
      { env: { ...process.env, CANARY: name }, timeout: 110_000 },
      (error, stdout, stderr) =>
        done({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
    );
  });
}

describe("simulation: canaries", function () {
  this.timeout(120_000);

  for (const [name, canary] of Object.entries(CANARIES)) {
    it(`the ${canary.suite} simulation finds out that ${name}`, async () => {
      const { code, output } = await runWith(name, canary);
      expect(code, output).to.equal(1);
      const broken = /SEED=\d+: (\w+):/.exec(output)?.[1];
      expect(canary.caughtBy, output).to.include(broken);
    });
  }
});
