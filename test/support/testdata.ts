import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const SEPARATOR = "----";

/**
 * Checks a golden file: each command is given to `run`, and what it returns must be what stands below the command.
 *
 * A file is comments (`# …`), and commands of the form
 *
 *     name positional key=value key=(a,b)
 *     further lines of input
 *     ----
 *     expected text, up to the next empty line
 *
 * Commands run in order, so `run` may keep state. `REWRITE=1` writes the results into the file: review the diff.
 */
export function checkTestData(file: URL, run: (command: Command) => string): void {
  const path = fileURLToPath(file);
  const before = readFileSync(path, "utf8");
  const after = blocks(before)
    .map((block) => answered(block, run))
    .join("\n");
  if (process.env.REWRITE === "1") writeFileSync(path, after);
  else expect(after, path).to.equal(before);
}

/** {@link checkTestData} as a test of its own, named after the file. */
export function runTestData(file: URL, run: (command: Command) => string): void {
  it(file.pathname.split("/").slice(-1).join(""), () => checkTestData(file, run));
}

/** One command of a golden file. */
export class Command {
  readonly name: string;
  readonly positional: readonly string[];
  /** The lines between the command and `----`. */
  readonly input: readonly string[];
  readonly #options: ReadonlyMap<string, string>;

  constructor(lines: readonly string[]) {
    const [name = "", ...words] = (lines[0] ?? "").split(/\s+/);
    this.name = name;
    this.positional = words.filter((word) => !word.includes("="));
    this.#options = new Map(
      words.filter((word) => word.includes("=")).map((word) => split(word, "=")),
    );
    this.input = lines.slice(1);
  }

  has(key: string): boolean {
    return this.#options.has(key);
  }

  /** @throws {Error} when neither given nor with a default. */
  text(key: string, whenAbsent?: string): string {
    const value = this.#options.get(key) ?? whenAbsent;
    if (value === undefined) throw new Error(`command ${this.name}: ${key}= is missing`);
    return value;
  }

  number(key: string, whenAbsent?: number): number {
    return toNumber(this.text(key, whenAbsent?.toString()));
  }

  /** The positional argument `i` as a number. */
  id(i = 0): number {
    return toNumber(this.positional[i] ?? "");
  }

  /** `key=(a,b)` or `key=a`; empty when absent. */
  list(key: string): string[] {
    const inner = this.text(key, "").replace(/^\((.*)\)$/, "$1");
    return inner === "" ? [] : inner.split(",");
  }

  numbers(key: string): number[] {
    return this.list(key).map(toNumber);
  }
}

/** A file's parts between empty lines, each with its line end. */
function blocks(text: string): string[] {
  return text
    .split(/\n{2,}/)
    .map((block) => block.trim())
    .filter((block) => block !== "")
    .map((block) => `${block}\n`);
}

function answered(block: string, run: (command: Command) => string): string {
  const lines = block.trimEnd().split("\n");
  const head = lines.slice(0, lines.indexOf(SEPARATOR) + 1 || undefined);
  const command = head.filter((line) => !line.startsWith("#") && line !== SEPARATOR);
  if (command.length === 0) return block;
  const answer = run(new Command(command)).trimEnd();
  const kept = head.filter((line) => line !== SEPARATOR);
  return `${[...kept, SEPARATOR, answer === "" ? "ok" : answer].join("\n")}\n`;
}

function split(word: string, by: string): [string, string] {
  const at = word.indexOf(by);
  return [word.slice(0, at), word.slice(at + 1)];
}

function toNumber(text: string): number {
  const value = Number(text);
  if (text === "" || Number.isNaN(value)) throw new Error(`not a number: "${text}"`);
  return value;
}
