import { readFileSync } from "node:fs";
import { parse } from "yaml";

/** As much of a Swagger 2 schema as Docker's file uses. */
interface Schema {
  readonly $ref?: string;
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly allOf?: readonly Schema[];
  readonly format?: string;
  readonly "x-nullable"?: boolean;
}

interface Operation {
  readonly responses: Readonly<Record<string, { readonly schema?: Schema }>>;
}

interface Document {
  readonly definitions: Readonly<Record<string, Schema>>;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** Checks answers against an API's Swagger file. */
export class Swagger {
  readonly #document: Document;

  constructor(path: string) {
    this.#document = parse(readFileSync(path, "utf8")) as Document;
  }

  /** Every operation of the file, like `GET /services/{id}`. */
  operations(): string[] {
    return Object.entries(this.#document.paths).flatMap(([path, methods]) =>
      Object.keys(methods)
        .filter((method) => /^(get|head|post|put|delete)$/.test(method))
        .map((method) => `${method.toUpperCase()} ${path}`),
    );
  }

  /** What is wrong with an answer, one line each; also where the file knows neither operation nor status. */
  problems(operation: string, status: number, body: unknown): string[] {
    const [method = "", path = ""] = operation.split(" ");
    const response = this.#document.paths[path]?.[method.toLowerCase()]?.responses[status];
    if (response === undefined) return [`${operation} has no answer ${status}`];
    if (response.schema === undefined) return [];
    return [...this.#check(response.schema, body, "body")];
  }

  /** The same of one of the file's definitions: what a stream is made of. */
  problemsOf(definition: string, value: unknown): string[] {
    return [...this.#check({ $ref: `#/definitions/${definition}` }, value, definition)];
  }

  *#check(raw: Schema, value: unknown, at: string): Generator<string> {
    const schema = this.#resolve(raw);
    const isContainer = ["object", "array", undefined].includes(schema.type);
    // Go's nil maps, slices and pointers are null; so the file means it where it does not say so.
    if (value === null && (schema["x-nullable"] === true || isContainer)) return;
    const actual = typeOf(value);
    const isFit = actual === schema.type || (schema.type === "number" && actual === "integer");
    if (schema.type !== undefined && !isFit) {
      yield `${at} is of type ${actual}, not ${schema.type}: ${JSON.stringify(value)}`;
      return;
    }
    const known = schema.enum?.map((one) => JSON.stringify(one));
    if (known !== undefined && !known.includes(JSON.stringify(value))) {
      yield `${at} is ${JSON.stringify(value)}, none of ${known.join(", ")}`;
    }
    if (schema.format === "dateTime" && Number.isNaN(Date.parse(String(value)))) {
      yield `${at} is no time: ${JSON.stringify(value)}`;
    }
    if (Array.isArray(value)) {
      for (const [i, item] of value.entries())
        yield* this.#check(schema.items ?? {}, item, `${at}[${i}]`);
    } else if (actual === "object") {
      yield* this.#checkObject(schema, value as Readonly<Record<string, unknown>>, at);
    }
  }

  *#checkObject(
    schema: Schema,
    value: Readonly<Record<string, unknown>>,
    at: string,
  ): Generator<string> {
    for (const name of schema.required ?? []) {
      if (!Object.hasOwn(value, name)) yield `${at}.${name} is missing`;
    }
    if (schema.properties === undefined && schema.additionalProperties === undefined) return;
    for (const [name, field] of Object.entries(value)) {
      const { additionalProperties: others } = schema;
      const property =
        schema.properties?.[name] ?? (typeof others === "object" ? others : undefined);
      if (property !== undefined) yield* this.#check(property, field, `${at}.${name}`);
      else if (others !== true) yield `${at}.${name} is not in the file`;
    }
  }

  /** Follows references and puts the parts of `allOf` together. */
  #resolve(schema: Schema): Schema {
    if (schema.$ref !== undefined) {
      const name = schema.$ref.replace("#/definitions/", "");
      const target = this.#document.definitions[name];
      if (target === undefined) throw new Error(`the file defines no ${name}`);
      return this.#resolve(target);
    }
    if (schema.allOf === undefined) return schema;
    const parts = schema.allOf.map((part) => this.#resolve(part));
    const properties = Object.assign({}, ...parts.map((part) => part.properties));
    const required = parts.flatMap((part) => part.required ?? []);
    return { ...Object.assign({}, ...parts, schema), properties, required };
  }
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value === "number" && Number.isInteger(value) ? "integer" : typeof value;
}
