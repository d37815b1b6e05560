import { ClusterError, errorMessage } from "../../core/errors.ts";
import type { Exchange } from "./exchange.ts";
import type { Answer } from "./router.ts";

/** Lines that wait for a client: far more than one pull has. Past it the client is cut off: it does not read. */
const PENDING_BYTES_MAX = 16 * 1024 * 1024;

/** Writes one line of a stream. Never waits: the work goes on at its own pace. */
export type Emit = (line: Readonly<Record<string, unknown>>) => void;

/**
 * Answers with a stream of JSON lines that `work` writes. What goes wrong before the first has a status of its own; after
 * it, or when it is `alwaysOk`, it is the last line, as `writeError` spells it.
 */
export async function streamProgress(
  exchange: Exchange,
  writeError: (message: string, error: unknown) => Readonly<Record<string, unknown>>,
  work: (emit: Emit) => Promise<void>,
  { alwaysOk = false }: { readonly alwaysOk?: boolean } = {},
): Promise<Answer> {
  const { response } = exchange;
  const begin = (): void => {
    if (!response.headersSent) response.writeHead(200, { "Content-Type": "application/json" });
  };
  const emit: Emit = (line) => {
    if (response.destroyed) return;
    begin();
    response.write(`${JSON.stringify(line)}\r\n`);
    if (response.writableLength > PENDING_BYTES_MAX) response.destroy();
  };
  let unexpected: Error | undefined;
  try {
    await work(emit);
  } catch (error) {
    if (!response.headersSent && !alwaysOk) throw error;
    if (!(error instanceof ClusterError)) unexpected = asError(error);
    emit(writeError(errorMessage(error), error));
  }
  begin();
  await new Promise<void>((resolve) => {
    if (response.destroyed) resolve();
    else response.once("close", resolve).end(resolve);
  });
  // The server logs what nobody expected; who asked has been told already.
  if (unexpected !== undefined) throw unexpected;
  return undefined;
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(errorMessage(thrown));
}
