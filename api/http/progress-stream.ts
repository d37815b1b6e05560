import { ClusterError, errorMessage } from "../../core/errors.ts";
import type { Exchange } from "./exchange.ts";
import type { Answer } from "./router.ts";

/** Writes one line of a stream; whoever calls it bounds how many there are. */
export type Emit = (line: Readonly<Record<string, unknown>>) => void;

/**
 * Answers with a stream of JSON lines that `work` writes. What goes wrong before the first has a status of its own; after
 * it, it is the last line, as `writeError` spells it.
 */
export async function streamProgress(
  exchange: Exchange,
  writeError: (message: string) => Readonly<Record<string, unknown>>,
  work: (emit: Emit) => Promise<void>,
): Promise<Answer> {
  const { response } = exchange;
  const begin = (): void => {
    if (!response.headersSent) response.writeHead(200, { "Content-Type": "application/json" });
  };
  const emit: Emit = (line) => {
    if (response.destroyed) return;
    begin();
    response.write(`${JSON.stringify(line)}\r\n`);
  };
  let failure: unknown;
  try {
    await work(emit);
  } catch (error) {
    if (!response.headersSent) throw error;
    failure = error;
    emit(writeError(errorMessage(error)));
  }
  begin();
  await new Promise<void>((resolve) => {
    if (response.destroyed) resolve();
    else response.once("close", resolve).end(resolve);
  });
  // The server logs what nobody expected; who asked has been told already.
  if (failure !== undefined && !(failure instanceof ClusterError)) throw failure;
  return undefined;
}
