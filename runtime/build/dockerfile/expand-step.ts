import { type Lookup, lex } from "../../../core/shell-words/expand.ts";
import type { Pair } from "../../../core/shell-words/words.ts";
import type { Step } from "./instruction.ts";

/**
 * A step with the values of its variables. Commands keep theirs: they are the shell's.
 *
 * @throws {ClusterError} InvalidArgument. Docker's words.
 * Source: Dockerfile reference, "Environment replacement".
 */
export function expandStep(step: Step, lookup: Lookup, escapeSign: string): Step {
  const expand = (text: string): string => lex(text, { escapeSign, lookup }).text;
  switch (step.kind) {
    case "env":
      return { ...step, pairs: expandPairs(step.pairs, expand) };
    case "label":
      return step.isLiteral ? step : { ...step, pairs: expandPairs(step.pairs, expand) };
    case "copy":
    case "add":
      return {
        ...step,
        sources: step.sources.map(expand),
        target: expand(step.target),
        chown: expand(step.chown),
        chmod: expand(step.chmod),
        inlineFiles: step.inlineFiles.map((file) =>
          file.expands ? { ...file, content: expandLines(file.content, lookup) } : file,
        ),
      };
    case "workdir":
      return { ...step, path: expand(step.path) };
    case "user":
      return { ...step, user: expand(step.user) };
    case "volume":
      return { ...step, paths: step.paths.map(expand) };
    case "stopsignal":
      return { ...step, signal: expand(step.signal) };
    case "expose":
      return {
        ...step,
        ports: step.ports.flatMap((port) => lex(port, { escapeSign, lookup }).words),
      };
    case "arg":
      return {
        ...step,
        args: step.args.map(({ name, value }) => ({
          name: expand(name),
          value: value === undefined ? undefined : expand(value),
        })),
      };
    default:
      return step;
  }
}

function expandPairs(pairs: readonly Pair[], expand: (text: string) => string): readonly Pair[] {
  return pairs.map((pair) => ({ ...pair, key: expand(pair.key), value: expand(pair.value) }));
}

/** In a heredoc quotes mean nothing: they are put back. */
function expandLines(text: string, lookup: Lookup): string {
  return lex(text, { escapeSign: "\\", lookup, literalQuotes: true }).text;
}
