import { expect } from "chai";
import fc from "fast-check";
import { ClusterError } from "../../../core/errors.ts";
import { lex } from "../../../core/shell-words/expand.ts";
import { expandStep } from "./expand-step.ts";
import { parseDockerfile } from "./parse.ts";

const SEED = 20_260_801;
const RUNS = 400;

/** Texts that look like Dockerfiles more often than chance would have it. */
const piece = fc.oneof(
  fc.constantFrom(
    ...["FROM a", "RUN ", "COPY ", "ENV ", "ARG ", "ONBUILD ", "HEALTHCHECK ", "LABEL ", "SHELL "],
    ...[
      "<<EOF",
      "<<-'E'",
      "EOF",
      "\n",
      "\\\n",
      "# escape=`\n",
      "# ",
      "\t",
      " ",
      "--from=",
      '["',
      '"]',
    ],
    ...["$a", "${a:-", "${a#", "${a/", "}", "'", '"', "\\", "`", "=", "\r\n", "\0", "\ud800"],
  ),
  fc.string({ maxLength: 5 }),
);
const dockerfile = fc.array(piece, { maxLength: 40 }).map((parts) => parts.join(""));

/** What is thrown, when anything is, is meant for whoever wrote the text. */
function onlyItsOwn(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    expect(error).to.be.instanceOf(ClusterError);
    expect((error as ClusterError).code).to.equal("InvalidArgument");
  }
}

describe("property: dockerfile", () => {
  it("any text is read or refused, and so are its expansions", () => {
    fc.assert(
      fc.property(dockerfile, fc.boolean(), (text, hasFrom) => {
        onlyItsOwn(() => {
          const { stages, escapeSign } = parseDockerfile(hasFrom ? `FROM a\n${text}` : text);
          for (const { step } of stages.flatMap(({ steps }) => steps))
            onlyItsOwn(() =>
              expandStep(step, (name) => (name === "a" ? "x*y" : undefined), escapeSign),
            );
        });
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });
  it("a text without signs expands to itself", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9 ./:=-]*$/), (text) => {
        expect(lex(text, { escapeSign: "\\", lookup: () => undefined }).text).to.equal(text);
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });
});
