import { errorMessage } from "../../../core/errors.ts";
import { invalid, quoted } from "../../../core/shell-words/invalid.ts";
import { splitBlanks } from "../../../core/shell-words/words.ts";
import { readFlags } from "./flags.ts";
import type { Dockerfile, Stage, Step, WrittenStep } from "./instruction.ts";
import { type Node, splitDockerfile } from "./lines.ts";
import { parseStep } from "./parse-step.ts";

/** More than an image has layers, and room for what makes none. */
export const STEPS_MAX = 1000;

const OWN_SYNTAX = /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@]|$)/;
const STAGE_NAME = /^[a-z][a-z0-9-_.]*$/;

/**
 * Reads a whole Dockerfile. Nothing is expanded: what a variable is shows only when its turn comes.
 *
 * @param name for the error.
 * @throws {ClusterError} InvalidArgument with the line. Docker's words.
 * Source: Dockerfile reference; buildkit, frontend/dockerfile, for what the reference leaves open.
 */
export function parseDockerfile(text: string, name = "Dockerfile"): Dockerfile {
  if (text === "") throw invalid(`the Dockerfile (${name}) cannot be empty`);
  const { directives, nodes, warnings } = about(`failed to parse ${name}: `, () =>
    splitDockerfile(text),
  );
  if (nodes.length > STEPS_MAX)
    throw invalid(`failed to parse ${name}: more than ${STEPS_MAX} instructions`);
  const { escapeSign, syntax } = directives;
  const stages: (Stage & { readonly steps: WrittenStep[] })[] = [];
  const metaArgs: { args: Extract<Step, { kind: "arg" }>["args"]; code: string }[] = [];
  for (const node of nodes) {
    const code = node.original.trim();
    about(`dockerfile parse error on line ${node.line}: `, () => {
      if (node.name.toLowerCase() === "from") {
        stages.push({ ...parseFrom(node), code, steps: [] });
        return;
      }
      const step = parseStep(node, escapeSign);
      const stage = stages.at(-1);
      if (stage !== undefined) stage.steps.push({ step, code });
      else if (step.kind === "arg") metaArgs.push({ args: step.args, code });
      else throw invalid("no build stage in current context");
    });
  }
  if (stages.length === 0)
    throw invalid(`failed to parse ${name}: no build stage: FROM is missing`);
  return { escapeSign, metaArgs, stages, warnings: [...warnings, ...warnOf(syntax)] };
}

/**
 * Reads what an ONBUILD has left for later.
 *
 * @throws {ClusterError} InvalidArgument. Docker's words.
 */
export function parseTrigger(expression: string): WrittenStep {
  const { directives, nodes } = splitDockerfile(expression);
  const [node] = nodes;
  if (node === undefined || nodes.length !== 1)
    throw invalid("onbuild trigger should be a single expression");
  return { step: parseStep(node, directives.escapeSign), code: node.original.trim() };
}

/** The number of a stage, by its name or its number. Undefined: there is none. */
export function findStage(stages: readonly Stage[], target: string): number | undefined {
  const byName = stages.findIndex(({ name }) => name !== "" && name === target.toLowerCase());
  if (byName !== -1) return byName;
  const index = /^\d{1,4}$/.test(target) ? Number(target) : -1;
  return stages[index] === undefined ? undefined : index;
}

function parseFrom({ flags, rest }: Node): Omit<Stage, "code" | "steps"> {
  const [base = "", as = "", name = "", ...more] = splitBlanks(rest);
  const isNamed = as.toLowerCase() === "as" && name !== "" && more.length === 0;
  if (base === "" || (as !== "" && !isNamed))
    throw invalid("FROM requires either one or three arguments");
  const lower = name.toLowerCase();
  if (isNamed && !STAGE_NAME.test(lower))
    throw invalid(
      `invalid name for build stage: ${quoted(name)}, name can't start with a number or contain symbols`,
    );
  const { platform = "" } = readFlags(flags, { platform: "text" });
  return { name: lower, base, platform };
}

/** Docker's own is what we read; of another the classic builder says nothing, though it reads something else then. */
function warnOf(syntax: string): readonly string[] {
  if (syntax === "" || OWN_SYNTAX.test(syntax)) return [];
  return [
    `the directive syntax=${syntax.slice(0, 200)} is ignored: muster reads the Dockerfile itself`,
  ];
}

/** Says before an error where it is. */
function about<T>(where: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    throw invalid(where + errorMessage(error));
  }
}
