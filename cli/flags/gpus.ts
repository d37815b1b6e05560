import { ClusterError } from "../../core/errors.ts";
import { csvFields } from "./csv.ts";
import { splitPair } from "./parse.ts";

/** All there are. */
const ALL = -1;

/** One of `HostConfig.DeviceRequests`. */
export interface WireDeviceRequest {
  Driver?: string;
  Count?: number;
  DeviceIDs?: string[];
  Capabilities: string[][];
  Options?: Record<string, string>;
}

/**
 * `all`, `2`, or `"device=0,1",driver=…,capabilities=…,options=…`: lists stand in quotes.
 *
 * @throws {ClusterError} `InvalidArgument`. Source: docker/cli, opts/gpus.go.
 */
export function parseGpus(text: string): WireDeviceRequest {
  const request: WireDeviceRequest = { Capabilities: [["gpu"]] };
  const seen = new Set<string>();
  for (const field of csvFields(text)) {
    const [key, value] = field.includes("=") ? splitPair(field) : ["count", field];
    if (seen.has(key)) throw refusal(text, `request key '${key}' can be specified only once`);
    seen.add(key);
    if (key === "driver") request.Driver = value;
    else if (key === "count") request.Count = parseGpuCount(text, value);
    else if (key === "device") request.DeviceIDs = value.split(",");
    else if (key === "capabilities") request.Capabilities = [capabilitiesOf(value)];
    else if (key === "options")
      request.Options = Object.fromEntries(csvFields(value).map(splitPair));
    else throw refusal(text, `unexpected key '${key}' in '${field}'`);
  }
  if (!seen.has("count") && !seen.has("device")) request.Count = 1;
  return request;
}

/** That it is a GPU goes without saying. */
function capabilitiesOf(value: string): string[] {
  const named = value.split(",");
  return named.includes("gpu") ? named : [...named, "gpu"];
}

function parseGpuCount(text: string, value: string): number {
  if (value === "all") return ALL;
  if (/^-?\d{1,9}$/.test(value)) return Number(value);
  throw refusal(text, `invalid count '${value}': must be an integer or all`);
}

function refusal(text: string, why: string): ClusterError {
  return new ClusterError("InvalidArgument", `invalid gpus '${text}': ${why}`);
}
