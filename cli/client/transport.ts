import { type ClientRequest, request as httpRequest, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Endpoint } from "./endpoint.ts";
import type { ClientTls } from "./tls.ts";

/** Where a daemon is, and how the way there is secured. */
export type Target = Endpoint & { readonly tls: ClientTls | undefined };

/** A request to it, not yet sent. */
export function open({ kind, tls, ...address }: Target, options: RequestOptions): ClientRequest {
  const all = { ...options, ...address };
  return tls === undefined || kind === "unix" ? httpRequest(all) : httpsRequest({ ...all, ...tls });
}
