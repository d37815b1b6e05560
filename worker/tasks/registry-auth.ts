import { ClusterError } from "../../core/errors.ts";
import type { Credentials } from "../../runtime/image/types.ts";

/**
 * Reads Docker's X-Registry-Auth: base64url of a JSON object, as the client sent it with the service.
 *
 * @returns undefined for the empty string.
 * @throws {ClusterError} `InvalidArgument`; the value itself is never in the message.
 */
export function parseRegistryAuth(value: string): Credentials | undefined {
  if (value === "") return undefined;
  const fields = parseObject(value);
  return {
    username: text(fields, "username"),
    password: text(fields, "password"),
    identityToken: text(fields, "identitytoken"),
    registryToken: text(fields, "registrytoken"),
  };
}

function parseObject(value: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(decode(value));
    if (typeof parsed === "object" && parsed !== null) return parsed as Record<string, unknown>;
  } catch {
    // Whatever was wrong with it, the answer is the one below; the text may hold a password.
  }
  throw new ClusterError(
    "InvalidArgument",
    "cannot use the registry login: it is not base64 of a JSON object; log in again, for a service update it then",
  );
}

function decode(value: string): string {
  const base64 = value.replaceAll("-", "+").replaceAll("_", "/");
  const bytes = Uint8Array.from(globalThis.atob(base64), (char) => char.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}

function text(fields: Record<string, unknown>, name: string): string {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return typeof value === "string" ? value : "";
}
