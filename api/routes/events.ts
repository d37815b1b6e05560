import { ClusterError } from "../../core/errors.ts";
import type { EventBackend } from "../backends/events.ts";
import type { Exchange } from "../http/exchange.ts";
import { parseFilters } from "../http/filters.ts";
import type { Answer, Route } from "../http/router.ts";
import { untilDrained } from "../http/send-list.ts";
import { readTimestampNs } from "../http/timestamp.ts";
import { writeEvent } from "../wire/event.ts";
import { EVENT_FILTERS, eventFits } from "../wire/event-filter.ts";

/** `/events`. Source: docker-engine-api-v1.51.yaml, tag System. */
export function eventRoutes(backend: EventBackend): Route[] {
  return [{ method: "GET", path: "/events", handler: (exchange) => sendEvents(backend, exchange) }];
}

/** A client that reads slowly holds its own events back, up to a bound; then it is cut off. */
async function sendEvents(backend: EventBackend, exchange: Exchange): Promise<Answer> {
  const { query, response, signal } = exchange;
  const filters = parseFilters(query.get("filters"), EVENT_FILTERS);
  const sinceNs = readTimestampNs(query, "since");
  const untilNs = readTimestampNs(query, "until");
  if (sinceNs !== undefined && untilNs !== undefined && sinceNs > untilNs) {
    const [since, until] = [query.get("since"), query.get("until")];
    const message = `\`since\` time (${since}) cannot be after \`until\` time (${until})`;
    throw new ClusterError("InvalidArgument", message);
  }
  response.writeHead(200, { "Content-Type": "application/json" });
  // At once: clients wait for the headers before they do what they want to see.
  response.flushHeaders();
  const fits = (event: Parameters<typeof eventFits>[1]) => eventFits(filters, event);
  const onTooSlow = () => void response.destroy();
  const asked = { sinceNs, untilNs, fits, signal, onTooSlow };
  for await (const event of backend.events(asked)) {
    if (signal.aborted) return undefined;
    if (!response.write(writeEvent(event))) await untilDrained(exchange);
  }
  response.end();
  return undefined;
}
