import { ClusterError } from "../../core/errors.ts";

/** A piece of a template: text as it is, or the words of one `{{action}}`. */
export type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "action"; readonly tokens: readonly Token[] };

export type Token =
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "word" | "field" | "variable" | "mark"; readonly value: string };

const ACTION = /\{\{(- )?([\s\S]*?)( -)?\}\}/g;
const TOKEN =
  /\s*(?:("(?:\\.|[^"\\])*")|`([^`]*)`|(-?\d+(?:\.\d+)?)|(\$[A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)|((?:\.[A-Za-z_][A-Za-z0-9_]*)+|\.)|([A-Za-z_][A-Za-z0-9_]*)|(:=|[|(),=]))/y;

/**
 * Splits a template of Go's text/template into pieces, with `{{-` and `-}}` already honoured.
 *
 * @throws {ClusterError} `InvalidArgument` on an action that is not closed or has a character no token starts with.
 */
export function lexTemplate(template: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  for (const match of template.matchAll(ACTION)) {
    let text = template.slice(at, match.index);
    if (trimNext) text = text.trimStart();
    if (match[1] !== undefined) text = text.trimEnd();
    pushText(pieces, text);
    const body = match[2] ?? "";
    if (!/^\s*\/\*[\s\S]*\*\/\s*$/.test(body))
      pieces.push({ kind: "action", tokens: lexAction(body) });
    trimNext = match[3] !== undefined;
    at = match.index + match[0].length;
  }
  const rest = template.slice(at);
  if (rest.includes("{{")) throw invalid("an action is not closed: '}}' is missing");
  pushText(pieces, trimNext ? rest.trimStart() : rest);
  return pieces;
}

export function invalid(reason: string): ClusterError {
  return new ClusterError("InvalidArgument", `invalid template: ${reason}`);
}

function pushText(pieces: Piece[], text: string): void {
  if (text !== "") pieces.push({ kind: "text", text });
}

function lexAction(body: string): Token[] {
  const tokens: Token[] = [];
  const end = body.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(body);
    if (match === null) throw invalid(`unexpected '${body.slice(from).trim()}'`);
    tokens.push(toToken(match));
  }
  return tokens;
}

function toToken(match: RegExpExecArray): Token {
  const [, quoted, raw, number, variable, field, word, mark] = match;
  if (quoted !== undefined) return { kind: "string", value: unquote(quoted) };
  if (raw !== undefined) return { kind: "string", value: raw };
  if (number !== undefined) return { kind: "number", value: Number(number) };
  if (variable !== undefined) return { kind: "variable", value: variable };
  if (field !== undefined) return { kind: "field", value: field.slice(1) };
  if (word !== undefined) return { kind: "word", value: word };
  return { kind: "mark", value: mark ?? "" };
}

function unquote(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    throw invalid(`bad string ${quoted}`);
  }
}
