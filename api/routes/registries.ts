import { ClusterError } from "../../core/errors.ts";
import type { RegistryBackend, SearchResult } from "../backends/registries.ts";
import type { Exchange } from "../http/exchange.ts";
import { type Filters, parseFilters } from "../http/filters.ts";
import { JsonReader } from "../http/json-reader.ts";
import { type Answer, ok, type Route } from "../http/router.ts";

const LIMIT_DEFAULT = 25;
const LIMIT_MAX = 100;

/** `/auth` and `/images/search`: questions to registries. Source: docker-engine-api-v1.51.yaml, tags System and Image. */
export function registryRoutes(backend: RegistryBackend): Route[] {
  return [
    { method: "POST", path: "/auth", handler: (exchange) => authenticate(backend, exchange) },
    { method: "GET", path: "/images/search", handler: (exchange) => search(backend, exchange) },
  ];
}

async function authenticate(backend: RegistryBackend, exchange: Exchange): Promise<Answer> {
  const fields = new JsonReader(await exchange.json(), "AuthConfig");
  const pair = splitPair(fields.string("auth"));
  const login = {
    serverAddress: fields.string("serveraddress"),
    username: fields.string("username") || pair.username,
    password: fields.string("password") || pair.password,
    identityToken: fields.string("identitytoken"),
  };
  const token = await backend.login(login, exchange.signal);
  return ok({ Status: "Login Succeeded", IdentityToken: token });
}

/** `user:password` in base64, as clients keep it. */
function splitPair(auth: string): { readonly username: string; readonly password: string } {
  const text = Buffer.from(auth, "base64").toString();
  const colon = text.indexOf(":");
  if (colon === -1) return { username: "", password: "" };
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

async function search(backend: RegistryBackend, exchange: Exchange): Promise<Answer> {
  const { query, signal } = exchange;
  const term = query.get("term") ?? "";
  if (term === "") throw new ClusterError("InvalidArgument", "give a term to search for");
  const limit = readLimit(query.get("limit") ?? "");
  const filters = parseFilters(query.get("filters"), ["is-official", "is-automated", "stars"]);
  const fits = searchFilter(filters);
  const results = await backend.searchImages(term, limit, signal);
  return ok(results.filter(fits).map(writeResult));
}

function readLimit(text: string): number {
  const limit = text === "" || text === "0" ? LIMIT_DEFAULT : Number(text);
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= LIMIT_MAX) return limit;
  throw new ClusterError(
    "InvalidArgument",
    `limit ${text} is outside the range of [1, ${LIMIT_MAX}]`,
  );
}

function searchFilter(filters: Filters): (result: SearchResult) => boolean {
  const official = truthOf(filters, "is-official");
  const automated = truthOf(filters, "is-automated");
  const stars = (filters.stars ?? []).map(Number);
  if (!stars.every((count) => Number.isSafeInteger(count) && count >= 0))
    throw new ClusterError("InvalidArgument", `invalid filter 'stars=${filters.stars?.join()}'`);
  return (result) =>
    (official === undefined || result.isOfficial === official) &&
    (automated === undefined || result.isAutomated === automated) &&
    stars.every((count) => result.stars >= count);
}

function truthOf(filters: Filters, name: string): boolean | undefined {
  const [word] = filters[name] ?? [];
  if (word === undefined) return undefined;
  if (/^(1|true)$/.test(word)) return true;
  if (/^(0|false)$/.test(word)) return false;
  throw new ClusterError("InvalidArgument", `invalid filter '${name}=${word}'`);
}

function writeResult(result: SearchResult): Record<string, unknown> {
  const { name, description, stars, isOfficial, isAutomated } = result;
  return {
    description,
    is_official: isOfficial,
    is_automated: isAutomated,
    name,
    star_count: stars,
  };
}
