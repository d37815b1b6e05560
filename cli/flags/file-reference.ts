import { ClusterError } from "../../core/errors.ts";
import { splitPair } from "./parse.ts";

/** A config or secret that a container is to read, as `--config` and `--secret` say it. */
export interface FileReferenceFlag {
  /** Name of the config or secret. */
  readonly source: string;
  readonly file: {
    readonly Name: string;
    readonly UID: string;
    readonly GID: string;
    readonly Mode: number;
  };
}

const MODE_DEFAULT = 0o444;
const MODE = /^(?:0o?)?[0-7]{1,4}$/;

/**
 * `--secret name` or `source=name,target=file,uid=33,gid=33,mode=0400`. Source: docker/cli, opts/secret.go.
 *
 * @throws {ClusterError} `InvalidArgument`.
 */
export function parseFileReference(flag: "config" | "secret", text: string): FileReferenceFlag {
  const fields = text.includes("=") ? parseFields(flag, text) : new Map([["source", text]]);
  const source = fields.get("source") ?? fields.get("src") ?? "";
  if (source === "") throw invalid(flag, text, `source is required: write it like source=name`);
  return {
    source,
    file: {
      Name: fields.get("target") ?? source,
      UID: fields.get("uid") ?? "0",
      GID: fields.get("gid") ?? "0",
      Mode: parseMode(flag, text, fields.get("mode")),
    },
  };
}

const KEYS = ["source", "src", "target", "uid", "gid", "mode"];

function parseFields(flag: string, text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const pair of text.split(",")) {
    const [key, value] = splitPair(pair);
    const name = key.trim().toLowerCase();
    if (!pair.includes("="))
      throw invalid(flag, text, `invalid field '${pair}' must be a key=value pair`);
    if (!KEYS.includes(name)) throw invalid(flag, text, `invalid field in ${flag} request: ${key}`);
    fields.set(name, value);
  }
  return fields;
}

function parseMode(flag: string, text: string, mode: string | undefined): number {
  if (mode === undefined) return MODE_DEFAULT;
  if (MODE.test(mode)) return Number.parseInt(mode.replace(/^0o/, ""), 8);
  throw invalid(flag, text, `invalid mode ${mode}: write it like 0440`);
}

function invalid(flag: string, text: string, why: string): ClusterError {
  return new ClusterError("InvalidArgument", `invalid ${flag} '${text}': ${why}`);
}
