import { readFileSync } from "node:fs";
import type { WireTask } from "../../../cli/client/wire.ts";
import { runningTasks } from "../cluster/cluster.ts";
import type { TestNode } from "../cluster/test-node.ts";
import { processesNaming } from "../processes.ts";

/** A container as the kernel knows it: the same one has the same process with the same start. */
export interface RunningContainer {
  readonly taskId: string;
  readonly nodeId: string;
  readonly containerId: string;
  readonly pid: number;
  /** Ticks since the machine's start; undefined: no such process. */
  readonly startedAt: string | undefined;
}

/** The containers of a service's running tasks, by task. */
export async function runningContainers(
  asked: TestNode,
  service: string,
): Promise<Map<string, RunningContainer>> {
  const tasks = await runningTasks(asked, service);
  return new Map(tasks.map((task) => [task.ID, containerOf(task)]));
}

/** How many monitors (conmon), and so containers, run on the hosts whose files are below `folder`. */
export function countMonitors(folder: string): number {
  return processesNaming(folder).filter(({ commandLine }) => /^\S*conmon /.test(commandLine))
    .length;
}

/** When a process was started; undefined when there is none of that id. Source: proc(5), /proc/pid/stat field 22. */
export function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

function containerOf(task: WireTask): RunningContainer {
  const { ContainerStatus: container } = task.Status as {
    readonly ContainerStatus?: { readonly ContainerID?: string; readonly PID?: number };
  };
  const pid = container?.PID ?? 0;
  return {
    taskId: task.ID,
    nodeId: task.NodeID ?? "",
    containerId: container?.ContainerID ?? "",
    pid,
    startedAt: startOf(pid),
  };
}
