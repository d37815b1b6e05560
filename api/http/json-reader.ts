import { ClusterError } from "../../core/errors.ts";

/**
 * Reads fields of a decoded JSON object the way Go's encoding/json does for Docker's clients: names match whatever
 * their case, `null` is as good as absent, unknown names are ignored, a wrong type is an error that names the field.
 */
export class JsonReader {
  readonly #fields = new Map<string, unknown>();
  readonly #path: string;

  constructor(value: unknown, path: string) {
    this.#path = path;
    if (value === undefined || value === null) return;
    if (typeof value !== "object" || Array.isArray(value)) throw this.#wrong("", "an object");
    for (const [name, field] of Object.entries(value)) {
      if (field !== null) this.#fields.set(name.toLowerCase(), field);
    }
  }

  has(name: string): boolean {
    return this.#fields.has(name.toLowerCase());
  }

  /** Whether the field holds anything: not absent, not `0`, `""`, `false`, `[]`, nor an object of nothing else. */
  isSet(name: string): boolean {
    return holdsAnything(this.#get(name));
  }

  /** As it came, whatever it is: for what is only passed on. */
  value(name: string): unknown {
    return this.#get(name);
  }

  string(name: string): string {
    return this.optionalString(name) ?? "";
  }

  optionalString(name: string): string | undefined {
    const value = this.#get(name);
    if (value === undefined || typeof value === "string") return value;
    throw this.#wrong(name, "a string");
  }

  boolean(name: string): boolean {
    return this.optionalBoolean(name) ?? false;
  }

  optionalBoolean(name: string): boolean | undefined {
    const value = this.#get(name);
    if (value === undefined || typeof value === "boolean") return value;
    throw this.#wrong(name, "true or false");
  }

  /** A whole number, negative or not, that JavaScript holds exactly. */
  integer(name: string): number {
    return this.optionalInteger(name) ?? 0;
  }

  optionalInteger(name: string): number | undefined {
    const value = this.#get(name);
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isSafeInteger(value)) return value;
    throw this.#wrong(name, "a whole number within ±2^53");
  }

  /** A whole number that is not negative. */
  count(name: string): number {
    return this.optionalCount(name) ?? 0;
  }

  optionalCount(name: string): number | undefined {
    const value = this.optionalInteger(name);
    if (value !== undefined && value < 0) throw this.#wrong(name, "a whole number of 0 or more");
    return value;
  }

  number(name: string): number {
    const value = this.#get(name);
    if (value === undefined) return 0;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw this.#wrong(name, "a number");
  }

  /** One of `words` (of any case), mapped; absent or empty gives `absent`. */
  choice<T>(name: string, words: Readonly<Record<string, T>>, absent: T): T {
    const word = this.string(name).toLowerCase();
    if (word === "") return absent;
    if (Object.hasOwn(words, word)) return words[word] as T;
    throw this.#wrong(name, `one of ${Object.keys(words).join(", ")}`);
  }

  strings(name: string): string[] {
    return this.list(name, (value, path) => {
      if (typeof value === "string") return value;
      throw wrongType(path, "a string");
    });
  }

  /** A map of strings; a value of null reads as empty. */
  stringMap(name: string): Record<string, string> {
    const value = this.#get(name);
    if (value === undefined) return {};
    if (typeof value !== "object" || Array.isArray(value)) throw this.#wrong(name, "an object");
    const entries = Object.entries(value as object).map(([key, text]): [string, string] => {
      if (text === null) return [key, ""];
      if (typeof text === "string") return [key, text];
      throw wrongType(`${this.#path}.${name}.${key}`, "a string");
    });
    return Object.fromEntries(entries);
  }

  /** The names in an object, whatever they hold. */
  keys(name: string): string[] {
    const value = this.#get(name);
    if (value === undefined) return [];
    if (typeof value !== "object" || Array.isArray(value)) throw this.#wrong(name, "an object");
    return Object.keys(value as object);
  }

  /** A text stands for a list of itself, as in Docker's commands. */
  words(name: string): string[] {
    const value = this.#get(name);
    return typeof value === "string" ? [value] : this.strings(name);
  }

  /** The value as it was sent; undefined when absent or null. */
  raw(name: string): unknown {
    return this.#get(name);
  }

  objects<T>(name: string, read: (reader: JsonReader) => T): T[] {
    return this.list(name, (value, path) => read(new JsonReader(value, path)));
  }

  list<T>(name: string, read: (value: unknown, path: string) => T): T[] {
    const value = this.#get(name);
    if (value === undefined) return [];
    if (!Array.isArray(value)) throw this.#wrong(name, "a list");
    return value.map((item, position) => read(item, `${this.#path}.${name}[${position}]`));
  }

  /** The object at `name`; reads as empty when absent. */
  object(name: string): JsonReader {
    return new JsonReader(this.#get(name), `${this.#path}.${name}`);
  }

  optionalObject<T>(name: string, read: (reader: JsonReader) => T): T | undefined {
    return this.has(name) ? read(this.object(name)) : undefined;
  }

  /** Refuses fields we would otherwise drop in silence. @throws {ClusterError} `InvalidArgument` naming the first that is set. */
  refuse(...names: string[]): void {
    for (const name of names) {
      if (!this.isSet(name)) continue;
      const message = `${this.#path}.${name} is not supported by this version of muster: leave it out`;
      throw new ClusterError("InvalidArgument", message);
    }
  }

  #get(name: string): unknown {
    return this.#fields.get(name.toLowerCase());
  }

  #wrong(name: string, expected: string): ClusterError {
    return wrongType(name === "" ? this.#path : `${this.#path}.${name}`, expected);
  }
}

/** Go's clients send the fields of an empty object as null. */
function holdsAnything(value: unknown): boolean {
  if (value === null || value === undefined) return false;
  if (value === 0 || value === "" || value === false) return false;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value !== "object" || Object.values(value as object).some(holdsAnything);
}

function wrongType(path: string, expected: string): ClusterError {
  return new ClusterError("InvalidArgument", `invalid request: ${path} must be ${expected}`);
}
