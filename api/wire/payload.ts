import { ClusterError } from "../../core/errors.ts";
import type { Config, ConfigSpec, Secret, SecretSpec } from "../../proto/gen/objects.ts";
import { JsonReader } from "../http/json-reader.ts";
import { omitEmpty, wireMeta } from "./common.ts";

/** What a client sends of a config or secret. */
export interface SentPayload {
  readonly spec: ConfigSpec & SecretSpec;
  readonly data: Uint8Array;
}

/** Reads Docker's ConfigSpec. @throws {ClusterError} `InvalidArgument` for what is wrong or not supported. */
export function readConfig(body: unknown): SentPayload {
  return readPayload(new JsonReader(body, "ConfigSpec"));
}

/** Reads Docker's SecretSpec. @throws {ClusterError} `InvalidArgument` for what is wrong or not supported. */
export function readSecret(body: unknown): SentPayload {
  const json = new JsonReader(body, "SecretSpec");
  if (json.isSet("Driver")) {
    throw new ClusterError(
      "InvalidArgument",
      "external secret drivers are not supported by this version of muster: create the secret with its data",
    );
  }
  return readPayload(json);
}

function readPayload(json: JsonReader): SentPayload {
  if (json.isSet("Templating")) {
    throw new ClusterError(
      "InvalidArgument",
      "templating drivers are not supported by this version of muster: create it with its final content",
    );
  }
  return {
    spec: { name: json.string("Name"), labels: json.stringMap("Labels") },
    data: readData(json.string("Data")),
  };
}

/** The error does not quote what it could not read: it may be a secret. */
function readData(text: string): Uint8Array {
  if (text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    return Buffer.from(text, "base64");
  }
  throw new ClusterError("InvalidArgument", "invalid request: Data must be base64 (RFC 4648)");
}

/** Docker's Config. @param withData as everybody else's daemon answers. */
export function writeConfig(config: Config, withData = true): Record<string, unknown> {
  const data = withData ? config.data.toString("base64") : "";
  return {
    ...wireMeta(config.id, config.meta),
    Spec: {
      Name: config.spec?.name ?? "",
      Labels: config.spec?.labels ?? {},
      ...omitEmpty({ Data: data }),
    },
  };
}

/** Docker's Secret: what is in it is shown to nobody. */
export function writeSecret(secret: Secret): Record<string, unknown> {
  return {
    ...wireMeta(secret.id, secret.meta),
    Spec: { Name: secret.spec?.name ?? "", Labels: secret.spec?.labels ?? {} },
  };
}
