/** What is wrong with a text that should be JSON. */
export type JsonFault =
  /** In the words of Go's decoder, which clients and their tests look for. */
  | { readonly kind: "syntax"; readonly message: string }
  /** The value is whole, and something follows it. */
  | { readonly kind: "trailing" };

/** Deeper than any body of ours; more could exhaust the stack. */
const DEPTH_MAX = 1000;
const SPACE = /[ \t\r\n]/;
const ESCAPES = '"\\/bfnrtu';
const LITERALS = ["true", "false", "null"];

class Fault extends Error {}

/** Finds the first fault of a text that `JSON.parse` refused. Source: Go, encoding/json/scanner.go. */
export function findJsonFault(text: string): JsonFault {
  const scanner = new Scanner(text);
  try {
    scanner.value(0);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { kind: "syntax", message: error.message };
  }
  return { kind: "trailing" };
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): void {
    if (depth > DEPTH_MAX) throw new Fault("exceeded max depth");
    const char = this.#next();
    const literal = LITERALS.find((word) => word[0] === char);
    if (char === "{") this.#object(depth);
    else if (char === "[") this.#array(depth);
    else if (char === '"') this.#string();
    else if (char === "-" || /\d/.test(char)) this.#number(char);
    else if (literal !== undefined) this.#literal(literal);
    else throw unexpected(char, "looking for beginning of value");
  }

  #object(depth: number): void {
    for (let first = true; ; first = false) {
      const key = this.#next();
      if (first && key === "}") return;
      if (key !== '"') throw unexpected(key, "looking for beginning of object key string");
      this.#string();
      const colon = this.#next();
      if (colon !== ":") throw unexpected(colon, "after object key");
      this.value(depth + 1);
      const end = this.#next();
      if (end === "}") return;
      if (end !== ",") throw unexpected(end, "after object key:value pair");
    }
  }

  #array(depth: number): void {
    if (this.#peek() === "]") {
      this.#at++;
      return;
    }
    for (;;) {
      this.value(depth + 1);
      const end = this.#next();
      if (end === "]") return;
      if (end !== ",") throw unexpected(end, "after array element");
    }
  }

  #string(): void {
    for (;;) {
      const char = this.#char();
      if (char === '"') return;
      if (char < " ") throw unexpected(char, "in string literal");
      if (char !== "\\") continue;
      const code = this.#char();
      if (!ESCAPES.includes(code)) throw unexpected(code, "in string escape code");
      for (let digits = 0; code === "u" && digits < 4; digits++) {
        const digit = this.#char();
        if (!/[0-9a-f]/i.test(digit))
          throw unexpected(digit, "in \\u hexadecimal character escape");
      }
    }
  }

  #number(sign: string): void {
    const first = sign === "-" ? this.#char() : sign;
    if (!/\d/.test(first)) throw unexpected(first, "in numeric literal");
    if (first !== "0") this.#digits();
    if (this.#text[this.#at] === ".") {
      this.#at++;
      this.#digit("after decimal point in numeric literal");
    }
    if (!/[eE]/.test(this.#text[this.#at] ?? "")) return;
    this.#at++;
    if (/[+-]/.test(this.#text[this.#at] ?? "")) this.#at++;
    this.#digit("in exponent of numeric literal");
  }

  #digit(where: string): void {
    const digit = this.#char();
    if (!/\d/.test(digit)) throw unexpected(digit, where);
    this.#digits();
  }

  #digits(): void {
    while (/\d/.test(this.#text[this.#at] ?? "")) this.#at++;
  }

  #literal(word: string): void {
    for (const wanted of word.slice(1)) {
      const char = this.#char();
      if (char !== wanted) throw unexpected(char, `in literal ${word} (expecting '${wanted}')`);
    }
  }

  /** The next character that is no space. */
  #next(): string {
    const char = this.#peek();
    this.#at++;
    return char;
  }

  #peek(): string {
    while (SPACE.test(this.#text[this.#at] ?? "")) this.#at++;
    return this.#text[this.#at] ?? cutOff();
  }

  #char(): string {
    return this.#text[this.#at++] ?? cutOff();
  }
}

function cutOff(): never {
  throw new Fault("unexpected EOF");
}

function unexpected(char: string, where: string): Fault {
  return new Fault(`invalid character ${quote(char)} ${where}`);
}

/** As Go prints it. */
function quote(char: string): string {
  if (char === "'") return "'\\''";
  if (char === '"') return "'\"'";
  const shown = JSON.stringify(char).slice(1, -1);
  return `'${shown.replace(/^\\u00(..)$/, "\\x$1")}'`;
}
