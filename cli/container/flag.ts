import { splitPair } from "../flags/parse.ts";
import { append, type ContainerBody, child, type Json } from "./body.ts";

/** A flag of `create` and `run`: commander's form, what it is for, and what it makes of the body. */
export interface ContainerFlag {
  readonly flag: string;
  readonly help: string;
  /** May be given again and again. */
  readonly isList: boolean;
  /** Of a flag without a value the text is `true` or `false`. */
  readonly apply: (body: ContainerBody, text: string) => void;
}

/** The part of a body that a flag is about. */
export type At = (body: ContainerBody) => Json;

export const own: At = (body) => body;
export const host: At = (body) => child(body, "HostConfig");

type Parse = (text: string) => unknown;

const asItIs: Parse = (text) => text;

/** The last one given counts. */
export function set(flag: string, help: string, at: At, field: string, parse = asItIs) {
  return once(flag, help, (body, text) => {
    at(body)[field] = parse(text);
  });
}

/** On, or off with `=false`. */
export function toggle(flag: string, help: string, at: At, field: string): ContainerFlag {
  return set(flag, help, at, field, (text) => text === "true");
}

export function once(flag: string, help: string, apply: ContainerFlag["apply"]): ContainerFlag {
  return { flag, help, isList: false, apply };
}

export function list(flag: string, help: string, apply: ContainerFlag["apply"]): ContainerFlag {
  return { flag, help, isList: true, apply };
}

/** One more of a list for each. */
export function add(flag: string, help: string, at: At, field: string, parse = asItIs) {
  return list(flag, help, (body, text) => append(at(body), field, parse(text)));
}

/** `key=value`; the last one of a key counts. */
export function pair(flag: string, help: string, at: At, field: string): ContainerFlag {
  return list(flag, help, (body, text) => {
    const [key, value] = splitPair(text);
    child(at(body), field)[key] = value;
  });
}
