import { ClusterError } from "../../core/errors.ts";
import { type Environment, variable } from "./environment.ts";

/** The newest API version that we know; a daemon that knows only older ones is spoken to in its newest. */
export const API_VERSION = "1.51";
/** The oldest that we speak. */
const API_VERSION_MIN = "1.24";

/**
 * The version the environment asks for, which is spoken as it is; undefined: whatever both know.
 *
 * @throws {ClusterError} `InvalidArgument` for one that is none.
 */
export function askedVersion(env: Environment): string | undefined {
  const text = variable(env, "API_VERSION")?.replace(/^v/, "");
  if (text === undefined || /^1\.\d{1,3}$/.test(text)) return text;
  const message = `invalid API version '${text}' in the environment: DOCKER_API_VERSION is like ${API_VERSION}`;
  throw new ClusterError("InvalidArgument", message);
}

/**
 * What to speak with a daemon whose newest version is `newest`, as its header says; without one, ours.
 *
 * @throws {ClusterError} `Unimplemented` when it is too old for us.
 */
export function agreedVersion(newest: string | undefined, host: string): string {
  if (newest === undefined || !/^\d+\.\d+$/.test(newest) || !isOlder(newest, API_VERSION))
    return API_VERSION;
  if (!isOlder(newest, API_VERSION_MIN)) return newest;
  const message = `the daemon at ${host} speaks API version ${newest}, and muster needs ${API_VERSION_MIN} or newer`;
  throw new ClusterError("Unimplemented", message);
}

/** By number, not by text: 1.9 is older than 1.10. */
export function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [thanMajor = 0, thanMinor = 0] = than.split(".").map(Number);
  return major < thanMajor || (major === thanMajor && minor < thanMinor);
}
