import { constants } from "node:os";
import { ClusterError } from "../../core/errors.ts";

const NAMES: Readonly<Record<string, number>> = constants.signals;
const RTMIN = 34;
const RTMAX = 64;

/**
 * The number of a signal written as `SIGTERM`, `term`, `15` or `SIGRTMIN+3`.
 *
 * @throws {ClusterError} InvalidArgument. Docker's words.
 */
export function parseSignal(text: string): number {
  const number = /^[0-9]{1,2}$/.test(text) ? Number(text) : numberOfName(text.toUpperCase());
  if (number !== undefined && number > 0 && number <= RTMAX) return number;
  throw new ClusterError("InvalidArgument", `invalid signal: ${text.slice(0, 40)}`);
}

function numberOfName(upper: string): number | undefined {
  const name = upper.startsWith("SIG") ? upper : `SIG${upper}`;
  const realtime = /^SIGRT(MIN|MAX)([+-][0-9]{1,2})?$/.exec(name);
  if (realtime === null) return NAMES[name];
  const number = (realtime[1] === "MIN" ? RTMIN : RTMAX) + Number(realtime[2] ?? 0);
  return number >= RTMIN ? number : undefined;
}
