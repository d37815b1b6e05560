import { invalid, quoted } from "./invalid.ts";
import { type Modifier, substitute } from "./substitution.ts";

/** The value of a variable; undefined when it is not set. */
export type Lookup = (name: string) => string | undefined;

/** How a text is read. */
export interface LexOptions {
  /** `\`, or what the directive `escape` says. */
  readonly escapeSign: string;
  readonly lookup: Lookup;
  /** Quotes stay where they are. */
  readonly rawQuotes?: boolean;
  /** Escapes stay where they are. */
  readonly rawEscapes?: boolean;
  /** Variables that are not set stay as they are written. */
  readonly keepUnset?: boolean;
  /** As in a shell's heredoc: quotes are characters, and an escape sign is one but before a `$` and itself. */
  readonly literalQuotes?: boolean;
}

/** A text without its quotes and with the values of its variables: as one word, and parted at unquoted white space. */
export interface Lexed {
  readonly text: string;
  readonly words: readonly string[];
}

/** `${a:-${b:-…}}` inside one another. */
export const NESTING_MAX = 100;
/** Of what comes out: a variable of itself twice, thirty times over, would fill the memory. */
export const EXPANDED_LENGTH_MAX = 1024 * 1024;

const SPACE = /\s/u;
const LETTER = /[\p{L}\p{Nd}_]/u;
const DIGIT = /\p{Nd}/u;
const SPECIAL_NAMES = "@*#?-$!0";
const MODIFIERS = "-+?#%";

/**
 * Reads a text as a shell would read a word, of expansions only variables.
 *
 * @throws {ClusterError} InvalidArgument, which quotes the text. Docker's words.
 * Source: Dockerfile reference, "Environment replacement"; POSIX.1-2017, XCU 2.2 and 2.6.2.
 */
export function lex(text: string, options: LexOptions): Lexed {
  try {
    return new Lexer(text, options).readUntil(undefined, options.rawEscapes ?? false);
  } catch (error) {
    if (!(error instanceof LexError)) throw error;
    throw invalid(`failed to process ${quoted(text)}: ${error.message}`);
  }
}

/** Why a text cannot be read; never leaves this file. */
class LexError extends Error {}

/** What has been read so far: the text, and the words in it. */
class Words {
  #text: string[] = [];
  #length = 0;
  #word: string[] = [];
  readonly words: string[] = [];

  /** Parts words where there is white space. */
  add(text: string): void {
    for (const char of text) {
      if (!SPACE.test(char)) this.#word.push(char);
      else this.#endWord();
    }
    this.#keep(text);
  }

  /** All of it belongs to the word. */
  addRaw(text: string): void {
    this.#word.push(text);
    this.#keep(text);
  }

  done(): Lexed {
    this.#endWord();
    return { text: this.#text.join(""), words: this.words };
  }

  #keep(text: string): void {
    this.#length += text.length;
    if (this.#length > EXPANDED_LENGTH_MAX)
      throw new LexError(`it is longer than ${EXPANDED_LENGTH_MAX} characters when expanded`);
    this.#text.push(text);
  }

  #endWord(): void {
    const word = this.#word.join("");
    this.#word = [];
    if (word !== "") this.words.push(word);
  }
}

class Lexer {
  readonly #chars: readonly string[];
  readonly #options: LexOptions;
  #at = 0;
  #depth = 0;

  constructor(text: string, options: LexOptions) {
    this.#chars = [...text];
    this.#options = options;
  }

  /** Up to an unquoted `stop`, which is passed over; undefined: to the end. */
  readUntil(stop: string | undefined, rawEscapes: boolean): Lexed {
    if (++this.#depth > NESTING_MAX) throw new LexError("substitutions are nested too deep");
    const words = new Words();
    for (let char = this.#peek(); char !== undefined; char = this.#peek()) {
      if (char === stop) {
        this.#at++;
        this.#depth--;
        return words.done();
      }
      this.#readOne(char, words, rawEscapes);
    }
    if (stop !== undefined)
      throw new LexError(`unexpected end of statement while looking for matching ${stop}`);
    return words.done();
  }

  #readOne(char: string, words: Words, rawEscapes: boolean): void {
    const hasQuotes = this.#options.literalQuotes !== true;
    if (hasQuotes && char === "'") words.addRaw(this.#singleQuoted());
    else if (hasQuotes && char === '"') words.addRaw(this.#doubleQuoted(rawEscapes));
    else if (char === "$") words.add(this.#variable());
    else if (char === "<") words.addRaw(this.#lessThan());
    else if (char === this.#options.escapeSign) this.#escaped(words, rawEscapes);
    else words.add(this.#next());
  }

  /** At the very end it stands for nothing. */
  #escaped(words: Words, rawEscapes: boolean): void {
    const escapeSign = this.#next();
    const char = this.#peek();
    const isPlain = this.#options.literalQuotes === true && char !== "$" && char !== escapeSign;
    if (rawEscapes || isPlain) words.addRaw(escapeSign);
    if (this.#peek() !== undefined) words.addRaw(this.#next());
  }

  #singleQuoted(): string {
    const raw = this.#options.rawQuotes === true;
    const end = this.#chars.indexOf("'", this.#at + 1);
    if (end === -1)
      throw new LexError("unexpected end of statement while looking for matching single-quote");
    const text = this.#chars.slice(this.#at + 1, end).join("");
    this.#at = end + 1;
    return raw ? `'${text}'` : text;
  }

  #doubleQuoted(rawEscapes: boolean): string {
    const quote = this.#options.rawQuotes === true ? '"' : "";
    const { escapeSign } = this.#options;
    const words = new Words();
    words.addRaw(quote);
    this.#at++;
    for (let char = this.#peek(); char !== undefined; char = this.#peek()) {
      if (char === "$") words.addRaw(this.#variable());
      else if (char === '"') {
        this.#at++;
        words.addRaw(quote);
        return words.done().text;
      } else if (char === escapeSign) words.addRaw(this.#escapedInQuotes(rawEscapes));
      else words.addRaw(this.#next());
    }
    throw new LexError("unexpected end of statement while looking for matching double-quote");
  }

  /** Only what has a meaning inside quotes loses it; the sign stays before all else. */
  #escapedInQuotes(rawEscapes: boolean): string {
    const escapeSign = this.#next();
    const char = this.#peek();
    if (char === undefined) return rawEscapes ? escapeSign : "";
    if (char !== '"' && char !== "$" && char !== escapeSign) return escapeSign;
    this.#at++;
    return rawEscapes ? escapeSign + char : char;
  }

  /** The beginning of a heredoc keeps the white space before its name. */
  #lessThan(): string {
    this.#at++;
    if (this.#peek() !== "<") return "<";
    this.#at++;
    let sign = "<<";
    for (let char = this.#peek(); char !== undefined && " \t\r".includes(char); char = this.#peek())
      sign += this.#next();
    return sign;
  }

  #variable(): string {
    this.#at++;
    if (this.#peek() === "{") return this.#braced();
    const name = this.#name();
    if (name === "") return "$";
    return this.#options.lookup(name) ?? this.#unset(`$${name}`);
  }

  #braced(): string {
    const start = this.#at - 1;
    this.#at++;
    const first = this.#peek();
    if (first === undefined) throw new LexError("syntax error: missing '}'");
    if ("{}:".includes(first)) throw new LexError("syntax error: bad substitution");
    const name = this.#name();
    const value = this.#options.lookup(name);
    if (this.#peek() === "}") {
      this.#at++;
      return value ?? this.#unset(`\${${name}}`);
    }
    const modifier = this.#modifier();
    if (value === undefined && this.#options.keepUnset === true)
      return this.#chars.slice(start, this.#at).join("");
    return this.#substitute(name, value, modifier);
  }

  #substitute(name: string, value: string | undefined, modifier: Modifier): string {
    try {
      return substitute(name, value, modifier);
    } catch (error) {
      throw error instanceof Error ? new LexError(error.message) : error;
    }
  }

  /** An empty value where unset variables are not kept. */
  #unset(written: string): string {
    return this.#options.keepUnset === true ? written : "";
  }

  #modifier(): Modifier {
    const emptyIsUnset = this.#peek() === ":";
    if (emptyIsUnset) this.#at++;
    const kind = this.#peek() ?? "";
    if (kind === "") throw new LexError("syntax error: missing '}'");
    this.#at++;
    const isPattern = "#%/".includes(kind);
    const known = MODIFIERS.includes(kind) || kind === "/";
    if (!known || (emptyIsUnset && isPattern)) {
      const sign = `${emptyIsUnset ? ":" : ""}${kind}`;
      throw new LexError(`unsupported modifier (${sign}) in substitution`);
    }
    if (kind !== "/") return { kind, emptyIsUnset, word: this.#part("}", isPattern) };
    const everywhere = this.#peek() === "/";
    if (everywhere) this.#at++;
    const word = this.#part("/", true);
    return { kind, emptyIsUnset, everywhere, word, replacement: this.#part("}", true) };
  }

  #part(stop: string, rawEscapes: boolean): string {
    try {
      return this.readUntil(stop, rawEscapes).text;
    } catch (error) {
      if (!(error instanceof LexError) || this.#peek() !== undefined) throw error;
      throw new LexError(
        stop === "/" ? "syntax error: missing '/' in substitution" : "syntax error: missing '}'",
      );
    }
  }

  /** Letters, digits and underscores; digits alone; or one of the shell's own signs. */
  #name(): string {
    const first = this.#peek() ?? "";
    const kind = DIGIT.test(first) ? DIGIT : LETTER;
    if (!DIGIT.test(first) && first !== "" && SPECIAL_NAMES.includes(first)) return this.#next();
    let name = "";
    for (let char = this.#peek(); char !== undefined && kind.test(char); char = this.#peek())
      name += this.#next();
    return name;
  }

  #peek(): string | undefined {
    return this.#chars[this.#at];
  }

  #next(): string {
    return this.#chars[this.#at++] ?? "";
  }
}
