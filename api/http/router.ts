import type { Exchange } from "./exchange.ts";

export type Method = "GET" | "HEAD" | "POST" | "PUT" | "DELETE";

/** What a handler answers: a JSON body with its status, or nothing because it has written the response itself. */
export type Answer = { readonly status: number; readonly body?: unknown } | undefined;

/** A handler throws ClusterError for what it expects to go wrong; the server turns it into Docker's error body. */
export type Handler = (exchange: Exchange) => Promise<Answer> | Answer;

/** One line of an area's table of routes; the path is find-my-way's: "/services/:ref/update". */
export interface Route {
  readonly method: Method;
  readonly path: string;
  readonly handler: Handler;
}

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

export function created(body: unknown): Answer {
  return { status: 201, body };
}

/** Success with an empty body, as Docker answers updates. */
export function done(status: 200 | 204 = 200): Answer {
  return { status };
}
