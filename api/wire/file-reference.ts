import type { ConfigReference, FileTarget, SecretReference } from "../../proto/gen/objects.ts";
import type { JsonReader } from "../http/json-reader.ts";
import { maybe } from "./common.ts";

// Docker's SecretReference and ConfigReference: what a container reads, and where.

export function readSecretReference(json: JsonReader): SecretReference {
  return {
    secretId: json.string("SecretID"),
    secretName: json.string("SecretName"),
    file: json.optionalObject("File", readTarget),
  };
}

export function writeSecretReference(reference: SecretReference): Record<string, unknown> {
  return {
    File: maybe(reference.file, writeTarget),
    SecretID: reference.secretId,
    SecretName: reference.secretName,
  };
}

/** A config as a credential spec (`Runtime`) is for Windows. */
export function readConfigReference(json: JsonReader): ConfigReference {
  json.refuse("Runtime");
  return {
    configId: json.string("ConfigID"),
    configName: json.string("ConfigName"),
    file: json.optionalObject("File", readTarget),
  };
}

export function writeConfigReference(reference: ConfigReference): Record<string, unknown> {
  return {
    File: maybe(reference.file, writeTarget),
    ConfigID: reference.configId,
    ConfigName: reference.configName,
  };
}

function readTarget(json: JsonReader): FileTarget {
  return {
    name: json.string("Name"),
    uid: json.string("UID"),
    gid: json.string("GID"),
    mode: json.count("Mode"),
  };
}

function writeTarget({ name, uid, gid, mode }: FileTarget): Record<string, unknown> {
  return { Name: name, UID: uid, GID: gid, Mode: mode };
}
