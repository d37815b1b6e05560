import { parseArgs } from "node:util";
import fc from "fast-check";
import { FUZZ_TARGETS, type FuzzTarget, fuzz } from "./targets.ts";

// npm run fuzz -- [NAME…] [--minutes N] [--seed N]
// Mutates valid inputs until the time is over; says what failed and how to see it again.

const RUNS_AT_ONCE = 2000;
const HELP = `usage: npm run fuzz -- [NAME…] [options]
  NAME          ${Object.keys(FUZZ_TARGETS).join(", ")} (default: all)
  --minutes N   runs for so long (default 1)
  --seed N      the first seed (default: by the clock)
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

function numberOf(option: "minutes" | "seed", fallback: number): number {
  const value = values[option] === undefined ? fallback : Number(values[option]);
  if (Number.isFinite(value) && value >= 0) return value;
  return fail(`--${option} ${values[option]} is no number\n${HELP}`);
}

function fail(why: string): never {
  process.stderr.write(why);
  process.exit(2);
}

function isTarget(name: string): name is FuzzTarget {
  return Object.hasOwn(FUZZ_TARGETS, name);
}

function explore(names: readonly FuzzTarget[]): number {
  const endMs = performance.now() + numberOf("minutes", 1) * 60_000;
  let seed = numberOf("seed", Math.floor(Date.now() / 1000));
  let runs = 0;
  let failures = 0;
  do {
    for (const name of names) {
      const result = fuzz(name, seed, RUNS_AT_ONCE);
      runs += result.numRuns;
      if (!result.failed) continue;
      failures++;
      const said = fc.defaultReportMessage(result) ?? "";
      process.stdout.write(`${name}: ${said}\n  again: npm run fuzz -- ${name} --seed ${seed}\n`);
    }
    seed++;
  } while (performance.now() < endMs);
  process.stdout.write(`${runs} inputs of ${names.join(", ")}: ${failures} failures\n`);
  return failures;
}

if (values.help) process.stdout.write(HELP);
else {
  const wanted = positionals.length === 0 ? Object.keys(FUZZ_TARGETS) : positionals;
  const unknown = wanted.find((name) => !isTarget(name));
  if (unknown !== undefined) fail(`there is no target ${unknown}\n${HELP}`);
  process.exitCode = explore(wanted.filter(isTarget)) === 0 ? 0 : 1;
}
