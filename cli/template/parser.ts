import { invalid, lexTemplate, type Piece, type Token } from "./lexer.ts";

/** A template as a tree. Source: Go, text/template/parse; without define, block, template and break. */
export type Block = readonly Statement[];

export type Statement =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "print"; readonly pipeline: Pipeline }
  | {
      readonly kind: "if" | "with";
      readonly pipeline: Pipeline;
      readonly body: Block;
      readonly otherwise: Block;
    }
  | {
      readonly kind: "range";
      readonly pipeline: Pipeline;
      readonly body: Block;
      readonly otherwise: Block;
    };

/** Commands whose results feed the next one's last argument; `assign` names the variables that take the result. */
export interface Pipeline {
  readonly assign: readonly string[];
  readonly commands: readonly Command[];
}

/** A function with arguments, or one operand alone. */
export interface Command {
  readonly operands: readonly Operand[];
}

export type Operand =
  | { readonly kind: "literal"; readonly value: unknown }
  | { readonly kind: "function"; readonly name: string }
  /** `base` undefined: the dot. */
  | {
      readonly kind: "path";
      readonly base: string | Pipeline | undefined;
      readonly fields: readonly string[];
    };

const LITERALS: Readonly<Record<string, unknown>> = { true: true, false: false, nil: null };

/** @throws {ClusterError} `InvalidArgument` saying what is wrong. */
export function parseTemplate(template: string): Block {
  const reader = new Reader(lexTemplate(template));
  const { body, end } = reader.block();
  if (end !== undefined) throw invalid(`unexpected {{${end}}}`);
  return body;
}

class Reader {
  readonly #pieces: readonly Piece[];
  #at = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  /** Statements up to `end`, `else` or the last piece; `end` says which word closed it. */
  block(): { body: Statement[]; end: "end" | "else" | undefined; rest: readonly Token[] } {
    const body: Statement[] = [];
    for (let piece = this.#next(); piece !== undefined; piece = this.#next()) {
      if (piece.kind === "text") {
        body.push(piece);
        continue;
      }
      const [first, ...rest] = piece.tokens;
      const word = first?.kind === "word" ? first.value : "";
      if (word === "end" || word === "else") return { body, end: word, rest };
      if (word === "if" || word === "with" || word === "range")
        body.push(this.#control(word, rest));
      else body.push({ kind: "print", pipeline: parsePipeline(piece.tokens) });
    }
    return { body, end: undefined, rest: [] };
  }

  #control(kind: "if" | "with" | "range", tokens: readonly Token[]): Statement {
    const pipeline = parsePipeline(tokens);
    const { body, end, rest } = this.block();
    if (end === undefined) throw invalid(`{{${kind}}} has no {{end}}`);
    return { kind, pipeline, body, otherwise: end === "else" ? this.#otherwise(rest) : [] };
  }

  #otherwise(rest: readonly Token[]): Block {
    const [first, ...tokens] = rest;
    if (first?.kind === "word" && (first.value === "if" || first.value === "with")) {
      return [this.#control(first.value, tokens)];
    }
    const { body, end } = this.block();
    if (end !== "end") throw invalid("{{else}} has no {{end}}");
    return body;
  }

  #next(): Piece | undefined {
    return this.#pieces[this.#at++];
  }
}

function parsePipeline(tokens: readonly Token[]): Pipeline {
  const assignAt = tokens.findIndex(
    ({ kind, value }) => kind === "mark" && (value === ":=" || value === "="),
  );
  const assign = tokens.slice(0, Math.max(assignAt, 0)).filter(({ kind }) => kind === "variable");
  const commands = splitAtPipes(tokens.slice(assignAt + 1)).map(parseCommand);
  return { assign: assign.map(({ value }) => String(value)), commands };
}

function splitAtPipes(tokens: readonly Token[]): Token[][] {
  const commands: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === "mark" && token.value === "(") depth++;
    if (token.kind === "mark" && token.value === ")") depth--;
    if (depth === 0 && token.kind === "mark" && token.value === "|") commands.push([]);
    else commands.at(-1)?.push(token);
  }
  return commands;
}

function parseCommand(tokens: readonly Token[]): Command {
  if (tokens.length === 0) throw invalid("a command is missing");
  const operands: Operand[] = [];
  for (let at = 0; at < tokens.length; ) {
    const { operand, next } = parseOperand(tokens, at);
    operands.push(operand);
    at = next;
  }
  return { operands };
}

function parseOperand(tokens: readonly Token[], at: number): { operand: Operand; next: number } {
  const token = tokens[at];
  switch (token?.kind) {
    case "string":
    case "number":
      return { operand: { kind: "literal", value: token.value }, next: at + 1 };
    case "word": {
      const literal = Object.hasOwn(LITERALS, token.value);
      const operand: Operand = literal
        ? { kind: "literal", value: LITERALS[token.value] }
        : { kind: "function", name: token.value };
      return { operand, next: at + 1 };
    }
    case "variable": {
      const [base, ...fields] = token.value.split(".");
      return { operand: { kind: "path", base, fields }, next: at + 1 };
    }
    case "field":
      return parseFields(tokens, at, undefined);
    case "mark":
      return parseParentheses(tokens, at);
    case undefined:
      throw invalid("an operand is missing");
  }
}

/** The fields behind a variable, a parenthesis or nothing: one token holds them all, `.A.B`. */
function parseFields(
  tokens: readonly Token[],
  at: number,
  base: string | Pipeline | undefined,
): { operand: Operand; next: number } {
  const token = tokens[at];
  if (token?.kind !== "field") return { operand: { kind: "path", base, fields: [] }, next: at };
  const fields = token.value === "" ? [] : token.value.split(".");
  return { operand: { kind: "path", base, fields }, next: at + 1 };
}

function parseParentheses(
  tokens: readonly Token[],
  at: number,
): { operand: Operand; next: number } {
  if (tokens[at]?.value !== "(") throw invalid(`unexpected '${tokens[at]?.value}'`);
  let depth = 0;
  for (let end = at; end < tokens.length; end++) {
    if (tokens[end]?.kind !== "mark") continue;
    if (tokens[end]?.value === "(") depth++;
    if (tokens[end]?.value === ")" && --depth === 0) {
      return parseFields(tokens, end + 1, parsePipeline(tokens.slice(at + 1, end)));
    }
  }
  throw invalid("a parenthesis is not closed");
}
