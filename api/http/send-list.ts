import { once } from "node:events";
import type { Exchange } from "./exchange.ts";
import type { Answer } from "./router.ts";

/**
 * Answers with a JSON list item by item, for lists that may be larger than a string can be. A client that reads slowly
 * holds the source back.
 */
export async function sendList(exchange: Exchange, items: AsyncIterable<unknown>): Promise<Answer> {
  const { response, signal } = exchange;
  let opening = "[";
  for await (const item of items) {
    if (signal.aborted) return undefined;
    // Not before the first item is here: until then a failure has a status of its own.
    if (!response.headersSent) response.writeHead(200, { "Content-Type": "application/json" });
    if (!response.write(opening + JSON.stringify(item))) await untilDrained(exchange);
    opening = ",";
  }
  if (!response.headersSent) return { status: 200, body: [] };
  response.end("]\n");
  return undefined;
}

/** Resolves when the client has read enough, or has gone. */
export async function untilDrained({
  response,
  signal,
}: Pick<Exchange, "response" | "signal">): Promise<void> {
  try {
    await once(response, "drain", { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
