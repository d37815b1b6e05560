import { ClusterError } from "../../../core/errors.ts";

/** How a registry wants to be asked. */
export type Challenge =
  | { readonly scheme: "basic" }
  | {
      readonly scheme: "bearer";
      readonly realm: URL;
      readonly service: string;
      readonly scope: string;
    };

const HEADER_LENGTH_MAX = 8192;
const SCHEME = /(?:^|,\s*)(basic|bearer)(?=\s|,|$)/gi;
const PARAMETER = /([a-zA-Z_]+)=(?:"([^"]*)"|([^",\s]*))/g;

/**
 * Reads a WWW-Authenticate header; Bearer is preferred when there are several.
 *
 * @throws {ClusterError} Unauthenticated when there is none that can be answered.
 * Source: RFC 9110 §11.6.1; distribution, auth/token.md.
 */
export function parseChallenge(header: string): Challenge {
  const text = header.slice(0, HEADER_LENGTH_MAX);
  const starts = [...text.matchAll(SCHEME)];
  const bearer = starts.findIndex((match) => match[1]?.toLowerCase() === "bearer");
  if (bearer !== -1)
    return parseBearer(text.slice(starts[bearer]?.index, starts[bearer + 1]?.index));
  if (starts.length > 0) return { scheme: "basic" };
  throw new ClusterError("Unauthenticated", "registry asks for a login but does not say which");
}

/** The URL that gives a token for `scope`; empty: for nothing in particular. */
export function tokenUrl(challenge: Challenge & { scheme: "bearer" }, scope: string): URL {
  const url = new URL(challenge.realm);
  if (challenge.service !== "") url.searchParams.set("service", challenge.service);
  if (scope !== "") url.searchParams.set("scope", scope);
  return url;
}

function parseBearer(text: string): Challenge {
  const parameters = new Map<string, string>();
  for (const match of text.matchAll(PARAMETER))
    parameters.set((match[1] ?? "").toLowerCase(), match[2] ?? match[3] ?? "");
  const realm = parameters.get("realm") ?? "";
  if (!URL.canParse(realm) || !/^https?:/.test(realm))
    throw new ClusterError(
      "Unauthenticated",
      `registry names no usable token service: ${JSON.stringify(realm)}`,
    );
  return {
    scheme: "bearer",
    realm: new URL(realm),
    service: parameters.get("service") ?? "",
    scope: parameters.get("scope") ?? "",
  };
}
