import { randomBytes } from "node:crypto";
import { ClusterError } from "../../core/errors.ts";
import { inRuncsWords } from "../container/runtime-words.ts";
import type { BuildSession } from "./build-session.ts";
import type { RunCommand } from "./plan/run-command.ts";

const SHORT_ID_BYTES = 6;

type Session = Pick<BuildSession, "request" | "say">;

/**
 * Says of a step that runs nothing what Docker says: its builder makes a container of each and removes it again. We need none,
 * so its id is nobody's, and where containers are to be kept nothing is said: none is to be found.
 */
export async function asIfRun<T>({ request, say }: Session, work: () => Promise<T>): Promise<T> {
  const isTold = request.remove || request.forceRemove;
  const id = newShortId();
  if (isTold) void say(runningIn(id));
  const done = await work();
  if (isTold) void say(removing(id));
  return done;
}

/** The failure of a command in a stage that has no files: no program is there. */
export function nothingToRun({ request, say }: Session, { words }: RunCommand): ClusterError {
  const id = newShortId();
  void say(runningIn(id));
  if (request.forceRemove) void say(removing(id));
  const [program = ""] = words;
  const reason = inRuncsWords(`executable file \`${program}\` not found`, program, "create");
  return new ClusterError("Internal", `cannot start container: ${reason}`);
}

/** Docker's words. */
export function runningIn(shortId: string): string {
  return ` ---> Running in ${shortId}\n`;
}

/** Docker's words. */
export function removing(shortId: string): string {
  return `Removing intermediate container ${shortId}\n`;
}

function newShortId(): string {
  return randomBytes(SHORT_ID_BYTES).toString("hex");
}
