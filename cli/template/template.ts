import { asText, elementOf, FUNCTIONS, isTrue } from "./functions.ts";
import { invalid } from "./lexer.ts";
import {
  type Block,
  type Command,
  type Operand,
  type Pipeline,
  parseTemplate,
  type Statement,
} from "./parser.ts";

/** A compiled template: call it with the dot to get the text. */
export type Template = (dot: unknown) => string;

export interface TemplateOptions {
  /**
   * Where a field that is not there is an error: nowhere, where else it has no value; where it alone is to be printed, so that
   * `if` may still ask for it; everywhere.
   */
  readonly missing?: "has no value" | "cannot be printed" | "is an error";
}

/** Go exports fields by a capital letter; anything else is a key of a map, which may not be there. */
const IS_EXPORTED = /^\p{Lu}/u;

/**
 * Compiles the subset of Go's text/template that Docker's users write in `--format`.
 *
 * @throws {ClusterError} `InvalidArgument`, at once for bad syntax and when called for an unknown function.
 */
export function compileTemplate(
  text: string,
  { missing = "has no value" }: TemplateOptions = {},
): Template {
  const block = parseTemplate(text);
  return (dot) => renderBlock(block, { dot, variables: new Map([["$", dot]]), missing });
}

/** What a value can be asked: `{{.Label "a"}}`. */
type Method = (argument: unknown) => unknown;

interface Scope {
  readonly dot: unknown;
  readonly variables: Map<string, unknown>;
  readonly missing: TemplateOptions["missing"] | "is printed";
}

function renderBlock(block: Block, scope: Scope): string {
  const own: Scope = { ...scope, variables: new Map(scope.variables) };
  return block.map((statement) => renderStatement(statement, own)).join("");
}

function renderStatement(statement: Statement, scope: Scope): string {
  switch (statement.kind) {
    case "text":
      return statement.text;
    case "print": {
      const value = evaluate(statement.pipeline, scope);
      if (assign(statement.pipeline, scope, [value])) return "";
      if (value === undefined && scope.missing === "cannot be printed")
        evaluate(statement.pipeline, { ...scope, missing: "is printed" });
      return asText(value);
    }
    case "if":
    case "with": {
      const value = evaluate(statement.pipeline, scope);
      if (!isTrue(value)) return renderBlock(statement.otherwise, scope);
      const inner = {
        ...scope,
        dot: statement.kind === "with" ? value : scope.dot,
        variables: new Map(scope.variables),
      };
      assign(statement.pipeline, inner, [value]);
      return renderBlock(statement.body, inner);
    }
    case "range":
      return renderRange(statement, scope);
  }
}

function renderRange(statement: Statement & { kind: "range" }, scope: Scope): string {
  const value = evaluate(statement.pipeline, scope);
  const entries = entriesOf(value);
  if (entries.length === 0) return renderBlock(statement.otherwise, scope);
  return entries
    .map(([key, item]) => {
      const inner = { ...scope, dot: item, variables: new Map(scope.variables) };
      const values = statement.pipeline.assign.length > 1 ? [key, item] : [item];
      assign(statement.pipeline, inner, values);
      return renderBlock(statement.body, inner);
    })
    .join("");
}

/** Go ranges over maps in the order of their keys. */
function entriesOf(value: unknown): [unknown, unknown][] {
  if (Array.isArray(value)) return value.map((item, index) => [index, item]);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Whether the pipeline was an assignment. */
function assign(pipeline: Pipeline, scope: Scope, values: readonly unknown[]): boolean {
  pipeline.assign.forEach((name, position) => {
    scope.variables.set(name, values[position]);
  });
  return pipeline.assign.length > 0;
}

function evaluate(pipeline: Pipeline, scope: Scope): unknown {
  let piped: unknown[] = [];
  for (const command of pipeline.commands) piped = [runCommand(command, scope, piped)];
  return piped[0];
}

function runCommand(command: Command, scope: Scope, piped: readonly unknown[]): unknown {
  const [first, ...rest] = command.operands;
  if (first?.kind !== "function") {
    const value = first === undefined ? undefined : operandValue(first, scope);
    const args = [...rest.map((operand) => operandValue(operand, scope)), ...piped];
    if (typeof value === "function" && args.length === 1) return (value as Method)(args[0]);
    if (first === undefined || args.length > 0) throw invalid("only a function takes arguments");
    return value;
  }
  return call(first.name, [...rest.map((operand) => operandValue(operand, scope)), ...piped]);
}

function call(name: string, args: readonly unknown[]): unknown {
  if (!Object.hasOwn(FUNCTIONS, name)) throw invalid(`function "${name}" not defined`);
  return FUNCTIONS[name]?.(...args);
}

function operandValue(operand: Operand, scope: Scope): unknown {
  switch (operand.kind) {
    case "literal":
      return operand.value;
    case "function":
      return call(operand.name, []);
    case "path":
      return operand.fields.reduce<unknown>(
        (value, field) => fieldOf(value, field, scope),
        baseOf(operand.base, scope),
      );
  }
}

/** Nothing has no fields: `{{.State.Health.Status}}` of a container without a check is an error, as in Go. */
function fieldOf(value: unknown, field: string, { missing }: Scope): unknown {
  if (value !== undefined && value !== null) {
    const isPrinted = missing === "is printed" && IS_EXPORTED.test(field);
    const mustBeThere = missing === "is an error" || isPrinted;
    if (mustBeThere && !Object.hasOwn(Object(value) as object, field)) {
      const known =
        typeof value === "object" ? `: use one of ${Object.keys(value).join(", ")}` : "";
      throw invalid(`there is no field "${field}"${known}`);
    }
    return elementOf(value, field);
  }
  throw invalid(`there is nothing that could have a field "${field}"`);
}

function baseOf(base: string | Pipeline | undefined, scope: Scope): unknown {
  if (base === undefined) return scope.dot;
  if (typeof base !== "string") return evaluate(base, scope);
  if (!scope.variables.has(base)) throw invalid(`undefined variable "${base}"`);
  return scope.variables.get(base);
}
