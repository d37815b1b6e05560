import type { LogMessage, LogOptions } from "../../proto/gen/control.ts";
import type { Containers, LogQuery } from "../../runtime/container/types.ts";
import type { TaskModel } from "../tasks/task-model.ts";

/** The runtime's query for what a client asked. */
export function logQuery(options: LogOptions, signal: AbortSignal): LogQuery {
  return {
    stdout: options.stdout,
    stderr: options.stderr,
    follow: options.follow,
    tail: options.tail,
    sinceMs: options.sinceMs,
    untilMs: options.untilMs,
    signal,
  };
}

/** The log of one task's container, message by message; ends at its end, or on `signal` when following. */
export async function* taskLog(
  containers: Containers,
  task: TaskModel,
  query: LogQuery,
): AsyncGenerator<LogMessage> {
  const { container, assignment } = task;
  if (container === undefined) return;
  const { id, nodeId, serviceId } = assignment.task;
  for await (const record of containers.logs(container.id, query)) {
    yield {
      nodeId,
      serviceId,
      taskId: id,
      timestampMs: Date.parse(record.time),
      timestamp: record.time,
      stderr: record.stderr,
      data: record.data as LogMessage["data"],
    };
  }
}
