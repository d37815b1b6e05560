import { execFile } from "node:child_process";
import { resolve } from "node:path";
import type { SuiteName } from "./suites.ts";

const RUN = resolve(import.meta.dirname, "run.ts");
const PLANT = resolve(import.meta.dirname, "canary/plant.ts");
/** One on each of the two processors CI has. */
const CHILDREN = 2;
const TIMEOUT_MS = 280_000;

export interface Outcome {
  readonly code: number;
  readonly output: string;
}

/** Some seeds of a suite. */
export interface Seeds {
  readonly suite: SuiteName;
  readonly from: number;
  readonly runs: number;
}

/** Runs seeds in a process of their own, until the first that fails; with a canary planted if one is named. */
export function runChild({ suite, from, runs }: Seeds, canary?: string): Promise<Outcome> {
  const planted = canary === undefined ? [] : ["--import", PLANT];
  const options = ["--suite", suite, "--from", String(from), "--runs", String(runs)];
  const env = canary === undefined ? process.env : { ...process.env, CANARY: canary };
  return new Promise((done) => {
    execFile(
      process.execPath,
      ["--import", "tsx", ...planted, RUN, ...options],
      { env, timeout: TIMEOUT_MS },
      (error, stdout, stderr) =>
        done({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr }),
    );
  });
}

/**
 * Runs seeds, on all processors.
 *
 * @throws {Error} with the first seed that failed and what it broke.
 */
export async function runSeeds({ suite, from, runs }: Seeds): Promise<void> {
  const share = Math.ceil(runs / CHILDREN);
  const outcomes = await Promise.all(
    Array.from({ length: CHILDREN }, (_, i) =>
      runChild({ suite, from: from + i * share, runs: Math.min(share, runs - i * share) }),
    ),
  );
  for (const { code, output } of outcomes) if (code !== 0) throw new Error(output);
}
