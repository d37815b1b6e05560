import { parseArgs } from "node:util";
import { errorMessage } from "../../core/errors.ts";
import { SUITES, type SuiteName } from "./suites.ts";

// npm run simulate -- [--minutes N] [--runs N] [--seed N] [--from N] [--suite raft|cluster]
// Explores seeds beyond those of CI until the time is over; says which failed and how to see it again.

const HELP = `usage: npm run simulate -- [options]
  --minutes N   runs seeds for so long (default 1)
  --runs N      or so many of each suite
  --from N      the first seed (default: by the clock)
  --seed N      this one alone, and what it saw
  --suite NAME  ${Object.keys(SUITES).join(" or ")} alone
`;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    runs: { type: "string" },
    from: { type: "string" },
    seed: { type: "string" },
    suite: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

function isSuite(name: string): name is SuiteName {
  return name in SUITES;
}

function numberOf(option: "minutes" | "runs" | "from" | "seed"): number {
  const value = Number(values[option]);
  if (Number.isFinite(value) && value >= 0) return value;
  return fail(`--${option} ${values[option]} is no number\n${HELP}`);
}

function fail(why: string): never {
  process.stderr.write(`${why}\n`);
  process.exit(2);
}

function chosenSuites(): SuiteName[] {
  const { suite } = values;
  const names = Object.keys(SUITES).filter(isSuite);
  if (suite === undefined) return names;
  return isSuite(suite) ? [suite] : fail(`there is no suite ${suite}\n${HELP}`);
}

async function explore(suites: readonly SuiteName[]): Promise<number> {
  const endMs = performance.now() + numberOf("minutes") * 60_000;
  const runsMax = values.runs === undefined ? Number.POSITIVE_INFINITY : numberOf("runs");
  const first = values.from === undefined ? Math.floor(Date.now() / 1000) : numberOf("from");
  const isOver = (runs: number) =>
    values.runs === undefined ? performance.now() >= endMs : runs >= runsMax;
  let failures = 0;
  let runs = 0;
  for (; !isOver(runs); runs++) {
    for (const suite of suites) {
      const seed = first + runs;
      try {
        await SUITES[suite](seed);
      } catch (error) {
        failures++;
        process.stdout.write(
          `${suite} ${errorMessage(error)}\n  again: npm run simulate -- --suite ${suite} --seed ${seed}\n`,
        );
        if (values.runs !== undefined) return failures;
      }
    }
  }
  const names = suites.join(" and ");
  process.stdout.write(`${runs} seeds from ${first} on of ${names}: ${failures} failed\n`);
  return failures;
}

async function runOne(suites: readonly SuiteName[]): Promise<number> {
  for (const suite of suites) {
    try {
      console.log(suite, await SUITES[suite](numberOf("seed")));
    } catch (error) {
      console.log(suite, errorMessage(error));
      return 1;
    }
  }
  return 0;
}

if (values.help) {
  process.stdout.write(HELP);
} else {
  const suites = chosenSuites();
  const failures = values.seed === undefined ? await explore(suites) : await runOne(suites);
  process.exitCode = failures === 0 ? 0 : 1;
}
