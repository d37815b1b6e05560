import { ClusterError } from "../../core/errors.ts";
import type { ServiceBackend, TaskBackend } from "../backend.ts";
import { type Filters, parseFilters } from "../http/filters.ts";
import { ok, type Route } from "../http/router.ts";
import { TASK_STATES, writeTask } from "../wire/task.ts";
import { readLogOptions, sendLogs, taskDetails } from "./logs.ts";

const FILTERS = [
  "id",
  "label",
  "name",
  "node",
  "service",
  "desired-state",
  "runtime",
  "_up-to-date",
];

/** `/tasks…`. Source: docker-engine-api-v1.51.yaml, tag Task. */
export function taskRoutes(
  tasks: TaskBackend,
  services: Pick<ServiceBackend, "serviceLogs">,
): Route[] {
  return [
    {
      method: "GET",
      path: "/tasks",
      handler: async ({ query }) => {
        const filters = parseFilters(query.get("filters"), FILTERS);
        checkDesiredState(filters);
        return ok((await tasks.listTasks(filters)).map(writeTask));
      },
    },
    {
      method: "GET",
      path: "/tasks/:ref",
      handler: async (exchange) => ok(writeTask(await tasks.getTask(exchange.param("ref")))),
    },
    {
      method: "GET",
      path: "/tasks/:ref/logs",
      handler: async (exchange) => {
        const options = readLogOptions(exchange);
        const { task, spec } = await tasks.getTask(exchange.param("ref"));
        const messages = services.serviceLogs(
          { taskRef: task?.id ?? "" },
          options,
          exchange.signal,
        );
        return sendLogs(exchange, messages, {
          tty: spec?.container?.tty ?? false,
          detailsOf: taskDetails,
          sourceOf: ({ taskId }) => taskId,
        });
      },
    },
  ];
}

function checkDesiredState(filters: Filters): void {
  for (const state of filters["desired-state"] ?? []) {
    if (Object.hasOwn(TASK_STATES, state)) continue;
    throw new ClusterError("InvalidArgument", `invalid filter 'desired-state=${state}'`);
  }
}
