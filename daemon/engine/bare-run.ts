import { createHash } from "node:crypto";
import type { Container } from "../../runtime/container/types.ts";

/** What clients are told of a run that has this machine's network, or none. */
export interface BareRun {
  /** As if it had an endpoint: other with each run. */
  readonly endpointId: string;
  readonly sandboxId: string;
  /** Leads to its network namespace. */
  readonly sandboxPath: string;
}

/** @returns undefined when it does not run, or has networks of its own or another container's. */
export function findBareRun({
  id,
  config,
  state,
  pid,
  startedAtMs,
}: Container): BareRun | undefined {
  const { kind } = config.network;
  if (state !== "running" || (kind !== "host" && kind !== "none")) return undefined;
  const idOf = (what: string) =>
    createHash("sha256").update(`${what} ${id} ${startedAtMs}`).digest("hex");
  return {
    endpointId: idOf("endpoint"),
    sandboxId: idOf("sandbox"),
    sandboxPath: `/proc/${pid}/ns/net`,
  };
}
