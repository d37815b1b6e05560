import { parseBoolean } from "../flags/boolean.ts";

/** A flag as the grammar sees it. */
export interface WordFlag {
  /** `--name` without its dashes. */
  readonly name: string;
  /** A single letter. */
  readonly short?: string | undefined;
  /** Its value follows; a value may follow after `=`; it is there or not, or says so after `=`. */
  readonly takes: "value" | "perhaps" | "boolean";
}

/** What a line of words comes to, in its order. */
export interface ParsedWords<F extends WordFlag> {
  /** Values as text; undefined where one may be left out and is; booleans as what they say. */
  readonly given: readonly { readonly flag: F; readonly value: string | boolean | undefined }[];
  readonly operands: readonly string[];
}

/** A line that cannot be read: Docker's text of it. */
export class WordError extends Error {
  override readonly name = "WordError";
  /** The flag that nobody knows, with its dashes. */
  readonly unknown: string | undefined;

  constructor(message: string, unknown?: string) {
    super(message);
    this.unknown = unknown;
  }
}

/** Docker's old names of flags that are the same in all its verbs. */
const ALIASES: Readonly<Record<string, string>> = {
  "dns-opt": "dns-option",
  net: "network",
  "net-alias": "network-alias",
  time: "timeout",
};

/**
 * Reads words as the docker command line does: `--name value`, `--name=value`, `-n value`, `-nvalue`, `-n=value`, booleans
 * together (`-it`) and with `=false`, and all after `--` as it is.
 *
 * @param interspersed flags may follow operands; otherwise the first operand ends them.
 * @throws {WordError} Source: spf13/pflag, FlagSet.parseArgs.
 */
export function parseWords<F extends WordFlag>(
  words: readonly string[],
  flags: readonly F[],
  interspersed: boolean,
): ParsedWords<F> {
  const given: { flag: F; value: string | boolean | undefined }[] = [];
  const operands: string[] = [];
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") return { given, operands: [...operands, ...rest] };
    if (word.startsWith("--")) given.push(parseLong(word, flags, rest));
    else if (word.length > 1 && word.startsWith("-")) given.push(...parseShort(word, flags, rest));
    else if (interspersed) operands.push(word);
    else return { given, operands: [word, ...rest] };
  }
  return { given, operands };
}

function parseLong<F extends WordFlag>(word: string, flags: readonly F[], rest: string[]) {
  const equals = word.indexOf("=");
  const name = equals === -1 ? word.slice(2) : word.slice(2, equals);
  const text = equals === -1 ? undefined : word.slice(equals + 1);
  if (name === "" || name.startsWith("-")) throw new WordError(`bad flag syntax: ${word}`);
  const flag =
    flags.find((one) => one.name === name) ?? flags.find((one) => one.name === ALIASES[name]);
  if (flag === undefined) throw new WordError(`unknown flag: --${name}`, `--${name}`);
  if (flag.takes === "boolean") return { flag, value: readBoolean(name, text) };
  if (flag.takes === "perhaps" || text !== undefined) return { flag, value: text };
  const value = rest.shift();
  if (value === undefined) throw new WordError(`flag needs an argument: --${name}`);
  return { flag, value };
}

function parseShort<F extends WordFlag>(word: string, flags: readonly F[], rest: string[]) {
  const given: { flag: F; value: string | boolean | undefined }[] = [];
  for (let letters = word.slice(1); letters !== ""; letters = letters.slice(1)) {
    const letter = letters.charAt(0);
    const flag = flags.find((one) => one.short === letter);
    if (flag === undefined) {
      const message = `unknown shorthand flag: '${letter}' in -${letters}`;
      throw new WordError(message, `-${letter}`);
    }
    const hasValue = letters.length > 2 && letters[1] === "=";
    const text = hasValue ? letters.slice(2) : undefined;
    if (flag.takes === "value") {
      const value = text ?? (letters.length > 1 ? letters.slice(1) : rest.shift());
      if (value === undefined)
        throw new WordError(`flag needs an argument: '${letter}' in -${letters}`);
      return [...given, { flag, value }];
    }
    given.push({ flag, value: flag.takes === "boolean" ? readBoolean(flag.name, text) : text });
    if (hasValue) return given;
  }
  return given;
}

function readBoolean(name: string, text: string | undefined): boolean {
  return text === undefined || parseBoolean(name, text);
}
