import { lex } from "../../../core/shell-words/expand.ts";

/** The beginning of a text that follows its instruction: `<<EOF`, `<<-"EOF"`, `3<<EOF`. */
export interface HeredocMark {
  readonly name: string;
  /** Tabs at the beginning of its lines are not part of it. */
  readonly stripsTabs: boolean;
  /** Variables in it have their values: its name is not quoted. */
  readonly expands: boolean;
}

/** One with its text, as it stands: tabs are still there. */
export interface Heredoc extends HeredocMark {
  readonly content: string;
}

const MARK = /^(\d*)<<(-?)\s*([^<]*)$/;
/** Heredocs are the shell's, whatever the Dockerfile's own escape sign is. */
const ESCAPE = "\\";
const unset = (): undefined => undefined;

/** The mark a word is; undefined when it is none. */
export function findHeredocMark(word: string): HeredocMark | undefined {
  const [, , dash, rest = ""] = MARK.exec(word) ?? [];
  if (rest === "") return undefined;
  const options = { escapeSign: ESCAPE, lookup: unset, keepUnset: true };
  const { words } = lex(rest, options);
  const [name] = words;
  if (words.length !== 1 || name === undefined) return undefined;
  const [raw = ""] = lex(rest, { ...options, rawQuotes: true }).words;
  return { name, stripsTabs: dash === "-", expands: quotesIn(name) === quotesIn(raw) };
}

/** All marks of a line, in their order. A line that cannot be read has none: then it is the shell's to complain. */
export function findHeredocMarks(line: string): readonly HeredocMark[] {
  if (!line.includes("<<")) return [];
  const options = { escapeSign: ESCAPE, lookup: unset, keepUnset: true };
  try {
    const { words } = lex(line, { ...options, rawQuotes: true, rawEscapes: true });
    return words.map(findHeredocMark).filter((mark) => mark !== undefined);
  } catch {
    return [];
  }
}

/** Its text as it is meant. */
export function heredocText({ content, stripsTabs }: Heredoc): string {
  return stripsTabs ? content.replaceAll(/^\t+/gm, "") : content;
}

function quotesIn(text: string): number {
  return [...text].filter((char) => char === "'" || char === '"').length;
}
