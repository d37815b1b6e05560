import { parseArgs } from "node:util";
import { seededRandom } from "../../../core/random.ts";
import { Chaos } from "../../support/chaos/chaos.ts";
import { planRounds } from "../../support/chaos/plan.ts";

/** `npm run chaos -- --rounds 30 --seed 1`: real daemons, killed, stopped, cut off and out of disk, under load. */
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "30" },
    seed: { type: "string", default: "1" },
    managers: { type: "string", default: "3" },
    workers: { type: "string", default: "3" },
    // How many faults may strike together, each another node.
    "at-once": { type: "string", default: "1" },
    // kill, crash, blackout, pause, partition or fullDisk: no other.
    only: { type: "string" },
    // A folder to copy the daemons' logs to.
    logs: { type: "string" },
  },
});
const seed = Number(values.seed);
const managers = Number(values.managers);
const workers = Number(values.workers);
const say = (line: string) => void process.stdout.write(`${line}\n`);
const planned = planRounds(seededRandom(seed), {
  rounds: Number(values.rounds),
  only: values.only,
  atOnce: Number(values["at-once"]),
  managers,
});

const start = performance.now();
const elapsed = () => `${((performance.now() - start) / 1000).toFixed(0)} s`;
const chaos = await Chaos.open({ name: `chaos${managers}`, managers, workers, seed, say });
try {
  say(`${managers} managers, ${workers} workers, seed ${seed}: ready after ${elapsed()}`);
  for (const faults of planned) await chaos.round(faults);
  const { traffic, ...result } = await chaos.finish();
  say(
    `${result.rounds} rounds in ${elapsed()}: ${result.acknowledged} acknowledged writes present (${result.refused} refused, ${result.unknown} unanswered), ` +
      `${traffic.answered} requests answered, ${traffic.failed} failed, nothing left behind`,
  );
} catch (error) {
  say(`FAILED: ${(error as Error).message}`);
  say(chaos.logs(40));
  process.exitCode = 1;
} finally {
  if (values.logs !== undefined) chaos.keepLogs(values.logs);
  await chaos.close();
}
