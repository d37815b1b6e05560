import { ClusterError } from "../../core/errors.ts";
import type { ContainerUsageBackend, UsagePair } from "../backends/container-usage.ts";
import type { ContainerFacts } from "../backends/containers.ts";
import type { ContainerFinder } from "../containers/find-container.ts";
import type { Exchange } from "../http/exchange.ts";
import { type Answer, ok, type Route } from "../http/router.ts";
import { untilDrained } from "../http/send-list.ts";
import { writeStats } from "../wire/container/stats.ts";
import { containerOf } from "./containers.ts";

/** What containers use. Source: docker-engine-api-v1.51.yaml, ContainerStats. */
export function containerStatsRoutes(
  containers: ContainerFinder,
  usage: ContainerUsageBackend,
): Route[] {
  return [
    {
      method: "GET",
      path: "/containers/:ref/stats",
      handler: (exchange) => stats(usage, containerOf(containers, exchange), exchange),
    },
  ];
}

async function stats(
  usage: ContainerUsageBackend,
  container: ContainerFacts,
  exchange: Exchange,
): Promise<Answer> {
  const { id, settings, state } = container;
  const isStream = !exchange.query.has("stream") || exchange.flag("stream");
  const isOneShot = exchange.flag("one-shot");
  if (isStream && isOneShot)
    throw new ClusterError("InvalidArgument", "cannot have stream=true and one-shot=true");
  const write = (pair: UsagePair) => writeStats({ id, name: settings.name }, pair);
  if (isStream) return sendStream(usage, id, exchange, write);
  if (state !== "running" || isOneShot) return ok(write(usage.sampleUsage(id)));
  const pair = await firstRate(usage, id, exchange.signal);
  return pair === undefined ? undefined : ok(write(pair));
}

/** The first pair of two moments: a rate takes both. One that ends meanwhile is told as it is. */
async function firstRate(
  usage: ContainerUsageBackend,
  id: string,
  signal: AbortSignal,
): Promise<UsagePair | undefined> {
  for await (const pair of usage.followUsage(id, signal, () => {}))
    if (pair.previous !== undefined || pair.current === undefined) return pair;
  return signal.aborted ? undefined : { current: undefined, previous: undefined };
}

/** A client that reads slowly gets the latest; one that does not read at all is cut off. */
async function sendStream(
  usage: ContainerUsageBackend,
  id: string,
  exchange: Exchange,
  write: (pair: UsagePair) => Record<string, unknown>,
): Promise<Answer> {
  const { response, signal } = exchange;
  for await (const pair of usage.followUsage(id, signal, () => void response.destroy())) {
    if (signal.aborted) return undefined;
    if (!response.headersSent) response.writeHead(200, { "Content-Type": "application/json" });
    if (!response.write(`${JSON.stringify(write(pair))}\n`)) await untilDrained(exchange);
  }
  response.end();
  return undefined;
}
