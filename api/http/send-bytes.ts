import type { Exchange } from "./exchange.ts";
import type { Answer } from "./router.ts";
import { untilDrained } from "./send-list.ts";

/**
 * Answers with bytes as they come. What goes wrong before the first has a status of its own; after it the connection is cut,
 * so that nobody takes a part for the whole. A client that reads slowly holds the source back.
 */
export async function sendBytes(
  exchange: Exchange,
  contentType: string,
  chunks: AsyncIterable<Uint8Array>,
): Promise<Answer> {
  const { response, signal } = exchange;
  for await (const chunk of chunks) {
    if (signal.aborted) return undefined;
    if (!response.headersSent) response.writeHead(200, { "Content-Type": contentType });
    if (!response.write(chunk)) await untilDrained(exchange);
  }
  if (!response.headersSent) response.writeHead(200, { "Content-Type": contentType });
  response.end();
  return undefined;
}
