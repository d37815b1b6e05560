import { ClusterError } from "../../core/errors.ts";
import { withClient } from "./calls.ts";

/** How often one question follows the hint of who leads: leadership may move while we ask. */
const REDIRECTS_MAX = 3;
/** Between two rounds while the managers that answer know no leader. */
const RETRY_MS = 250;

/** How to reach a manager, and for how long to bear with a swarm that is electing its leader. */
export interface LeaderSearch<C> {
  /** host:port of managers, any of which may know the leader. */
  readonly addrs: readonly string[];
  readonly dial: (addr: string) => C;
  readonly patienceMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks the leader, by way of whichever manager answers.
 *
 * A question is asked again only after an answer that says that nothing was done.
 *
 * @throws {ClusterError} the leader's refusal, or `Unavailable` naming who could not be reached.
 */
export async function askLeader<C extends { close(): void }, Answer>(
  search: LeaderSearch<C>,
  ask: (client: C) => Promise<Answer>,
): Promise<Answer> {
  const deadlineMs = performance.now() + search.patienceMs;
  for (;;) {
    let failure = new ClusterError("Unavailable", "no manager is known");
    for (const addr of search.addrs) {
      try {
        return await followHints(search, addr, ask);
      } catch (error) {
        if (!isElsewhere(error)) throw error;
        failure = error;
      }
    }
    const isElecting = failure.details.unanswered !== true && search.addrs.length > 0;
    const isOver = performance.now() > deadlineMs || search.signal?.aborted === true;
    if (!isElecting || isOver) throw failure;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function followHints<C extends { close(): void }, Answer>(
  { dial }: LeaderSearch<C>,
  start: string,
  ask: (client: C) => Promise<Answer>,
): Promise<Answer> {
  let addr = start;
  for (let redirects = 0; ; redirects++) {
    try {
      return await withClient(dial(addr), ask);
    } catch (error) {
      const leader = error instanceof ClusterError ? error.details.leader : undefined;
      if (typeof leader !== "string" || redirects === REDIRECTS_MAX) throw explain(error, addr);
      addr = leader;
    }
  }
}

/** Whether another manager may know better. */
function isElsewhere(error: unknown): error is ClusterError {
  if (!(error instanceof ClusterError) || error.code !== "Unavailable") return false;
  return error.details.outcomeUnknown !== true;
}

/** OpenSSL's words. */
const OUT_OF_TIME = /certificate (is not yet valid|has expired)/;

/** Says where we tried and what to look at, when nobody answered there. */
export function explain(error: unknown, addr: string): unknown {
  if (!(error instanceof ClusterError) || error.details.unanswered !== true) return error;
  if (error.code !== "Unavailable" && error.code !== "DeadlineExceeded") return error;
  // gRPC ends with a note that it has nothing to note.
  const why = error.message.replace(/\.? Resolution note: $/, "");
  const whatToDo = OUT_OF_TIME.test(why)
    ? "its certificate does not hold by this machine's clock: compare the clocks of both"
    : "check the address, that the manager runs and that its port is open";
  return new ClusterError(
    "Unavailable",
    `cannot reach a manager at ${addr}: ${whatToDo} (${why})`,
    { cause: error, details: { addr, unanswered: true } },
  );
}
