import { ClusterError } from "../../core/errors.ts";
import { logAttributes, writeLogAttributes } from "../../core/log-attributes.ts";
import type { ContainerBackend, ContainerFacts } from "../backends/containers.ts";
import { findContainer } from "../containers/find-container.ts";
import type { Exchange } from "../http/exchange.ts";
import { type Answer, ok, type Route } from "../http/router.ts";
import { requireRunning } from "./container-errors.ts";
import { readLogOptions, sendLogs } from "./logs.ts";

const PS_ARGS_LENGTH_MAX = 1024;

/** What comes out of a container: its logs and its processes. */
export function containerOutputRoutes(backend: ContainerBackend): Route[] {
  const named = (exchange: Exchange) => findContainer(backend, exchange.param("ref"));
  return [
    {
      method: "GET",
      path: "/containers/:ref/logs",
      handler: async (exchange) => logs(backend, named(exchange), exchange),
    },
    {
      method: "GET",
      path: "/containers/:ref/top",
      handler: async (exchange) => top(backend, named(exchange), exchange),
    },
  ];
}

async function logs(
  backend: ContainerBackend,
  container: ContainerFacts,
  exchange: Exchange,
): Promise<Answer> {
  const { id, settings } = container;
  const query = readLogOptions(exchange);
  if (settings.log.driver === "none")
    throw new ClusterError("Unimplemented", "configured logging driver does not support reading");
  const attributes = writeLogAttributes(logAttributes(container));
  const lines = backend.containerLogs(id, query, exchange.signal);
  return sendLogs(exchange, lines, { tty: settings.tty, detailsOf: () => attributes });
}

async function top(
  backend: ContainerBackend,
  container: ContainerFacts,
  { query }: Exchange,
): Promise<Answer> {
  requireRunning(container);
  const text = query.get("ps_args") || "-ef";
  const words = text.split(/\s+/).filter((word) => word !== "");
  if (text.length > PS_ARGS_LENGTH_MAX || words.some((word) => !/^[\w%+,.:=*-]+$/.test(word)))
    throw new ClusterError("InvalidArgument", `invalid ps_args '${text.slice(0, 100)}'`);
  const { titles, processes } = await backend.containerProcesses(container.id, words);
  return ok({ Titles: titles, Processes: processes });
}
