import Mocha from "mocha";

/** Mocha's spec output, closed by one plain line that a machine can read. */
// biome-ignore lint/style/noDefaultExport: mocha loads a reporter by its default export.
export default class SummaryReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const { stats } = this;
    runner.once("end", () => {
      const skipped = stats.pending > 0 ? `, ${stats.pending} skipped` : "";
      process.stdout.write(`\n${stats.passes} passed, ${stats.failures} failed${skipped}\n`);
    });
  }
}
