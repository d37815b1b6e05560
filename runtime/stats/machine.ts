import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import type { Clock } from "../../core/clock.ts";
import type { ContainerId, Containers } from "../container/types.ts";
import type { Cgroups } from "../linux/cgroups.ts";
import { UsageLoop } from "./loop.ts";
import { parseNetDev, parseSystemCpu } from "./proc-counters.ts";
import type { UsageSample } from "./types.ts";

interface Parts {
  readonly containers: Pick<Containers, "get">;
  readonly cgroups: Pick<Cgroups, "usage">;
  readonly clock: Clock;
}

/** Looks at this machine's containers. */
export function newUsageLoop(parts: Parts): UsageLoop {
  return new UsageLoop((id) => lookAt(id as ContainerId, parts), parts.clock);
}

/**
 * What a container has used by now; undefined when it does not run.
 *
 * @throws {ClusterError} NotFound.
 */
function lookAt(id: ContainerId, parts: Parts): UsageSample | undefined {
  const { state, pid, config } = parts.containers.get(id);
  if (state !== "running") return undefined;
  const { nanos, cpus } = parseSystemCpu(readFileSync("/proc/stat", "utf8"));
  return {
    ...parts.cgroups.usage(id),
    atMs: parts.clock.nowMs(),
    systemCpuNanos: nanos,
    onlineCpus: cpus,
    machineMemoryBytes: totalmem(),
    // The host's own interfaces count what is not the container's.
    interfaces: config.network.kind === "host" ? new Map() : parseNetDev(netDevOf(pid)),
  };
}

/** Empty when the process has just ended. */
function netDevOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/net/dev`, "utf8");
  } catch {
    return "";
  }
}
