import { expect } from "chai";
import fc from "fast-check";
import { ClusterError } from "../../core/errors.ts";
import { parseWords, WordError, type WordFlag } from "./words.ts";

const FLAGS: readonly WordFlag[] = [
  { name: "env", short: "e", takes: "value" },
  { name: "tty", short: "t", takes: "boolean" },
  { name: "autolock", takes: "perhaps" },
];
const word = fc.oneof(
  fc.constantFrom("-e", "-t", "-te", "--env", "--tty", "--tty=0", "--env=", "--", "-", "", "a"),
  fc.string({ maxLength: 6 }).map((text) => `-${text}`),
  fc.string({ maxLength: 6 }),
);

describe("words: any line", () => {
  it("is read or refused, and loses no operand", () =>
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), fc.boolean(), (line, interspersed) => {
        try {
          const { operands } = parseWords(line, FLAGS, interspersed);
          let at = 0;
          for (const operand of operands) {
            at = line.indexOf(operand, at) + 1;
            expect(at, operand).to.be.greaterThan(0);
          }
          const end = line.indexOf("--");
          if (end === -1) return;
          const rest = line.slice(end + 1);
          // What follows the first end of flags is whole, unless that was a flag's value.
          if (!/^(-t*e|--env)$/.test(line[end - 1] ?? "") && rest.length > 0 && interspersed)
            expect(operands.slice(-rest.length)).to.deep.equal(rest);
        } catch (error) {
          if (!(error instanceof WordError || error instanceof ClusterError)) throw error;
        }
      }),
      { seed: 1, numRuns: 2000 },
    ));
});
