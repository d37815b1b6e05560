import { ClusterError } from "../../../core/errors.ts";
import { countAt, listAt, objectAt, parseJsonObject, textAt } from "../json.ts";
import type { SearchResult } from "../types.ts";
import { asked, connectionError } from "./connection-error.ts";
import type { Endpoint } from "./endpoints.ts";
import type { RegistryHttp } from "./http.ts";

const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
const RESULTS_MAX = 1000;

/**
 * Asks a registry's index; Docker Hub has one, most others have not.
 *
 * @throws {ClusterError} Unavailable, FailedPrecondition (no index there), Cancelled.
 * Source: moby, registry/search_session.go.
 */
export async function searchAt(
  http: RegistryHttp,
  endpoint: Endpoint,
  query: {
    readonly term: string;
    readonly limit: number;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<readonly SearchResult[]> {
  const { term, limit, signal } = query;
  const url = new URL(`${endpoint.baseUrl}/v1/search`);
  url.searchParams.set("q", term);
  url.searchParams.set("n", String(limit));
  const response = await http.send(endpoint, { method: "GET", url, headers: {}, signal });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw connectionError(error, { what: asked("GET", url), host: url.host, signal });
  }
  if (response.status !== 200) {
    const reason = `${url.host} answered with status ${response.status}: only Docker Hub and registries with an index can be searched`;
    throw new ClusterError("FailedPrecondition", `cannot search: ${reason}`);
  }
  const { results } = parseJsonObject(Buffer.concat(chunks), "search result");
  return listAt(results, "search results", RESULTS_MAX).map(parseResult);
}

function parseResult(value: unknown): SearchResult {
  const result = objectAt(value, "search result");
  return {
    name: textAt(result.name, "search result name"),
    description: textAt(result.description, "search result description"),
    stars: countAt(result.star_count, "search result star_count"),
    isOfficial: result.is_official === true,
    isAutomated: result.is_automated === true,
  };
}
