import { ClusterError } from "../../core/errors.ts";
import type { BuildOutput, BuildSettings } from "../backends/builds.ts";
import { JsonReader } from "../http/json-reader.ts";
import type { ResolveContainer } from "./container/host-config.ts";
import { readExtraHosts } from "./container/host-config.ts";
import { readLimits } from "./container/resources.ts";
import { parsePlatform } from "./platform.ts";
import { writeProgress } from "./progress.ts";

/** Names of one image. */
const TAGS_MAX = 100;
/** Each is looked through for each step. */
const CACHE_FROM_MAX = 100;
/** The platform of a build is heard since then; before it means nothing. */
const PLATFORM_MINOR = 32;
const AUX_MINOR = 30;
const FALSE = ["", "0", "false", "no", "none"];
/** The registry Docker's clients know by a URL. */
const HUB_KEY = "https://index.docker.io/v1/";
const BUILDKIT =
  "BuildKit is not supported by this version of muster yet: set DOCKER_BUILDKIT=0 in the environment and build again";

/** The error for Docker's other builder. */
export function buildKitRefused(): ClusterError {
  return new ClusterError("Unimplemented", BUILDKIT);
}

/**
 * Reads the query of `POST /build`.
 *
 * @throws {ClusterError} InvalidArgument for what is wrong, Unimplemented for what is not supported.
 */
export function readBuildQuery(
  query: URLSearchParams,
  options: {
    readonly apiMinor: number;
    /** The X-Registry-Config header. */
    readonly registryConfig: string;
    readonly resolve: ResolveContainer;
  },
): BuildSettings {
  const text = (name: string) => query.get(name) ?? "";
  const flag = (name: string) => !FALSE.includes(text(name).toLowerCase());
  refuse(query, flag);
  const limits = readLimits(new JsonReader(resourcesOf(query), "build"));
  const hosts = new JsonReader({ ExtraHosts: extraHostsOf(query) }, "build");
  const tags = query.getAll("t").filter((tag) => tag !== "");
  if (tags.length > TAGS_MAX)
    throw new ClusterError("InvalidArgument", `more than ${TAGS_MAX} tags for one image`);
  return {
    remote: text("remote"),
    dockerfile: text("dockerfile"),
    tags,
    args: readArgs(readJson(query, "buildargs", "error reading build args")),
    labels: labelsOf(query),
    target: text("target"),
    noCache: flag("nocache"),
    cacheFrom: cacheFromOf(query),
    pull: flag("pull"),
    remove: text("rm") === "" || flag("rm"),
    forceRemove: flag("forcerm"),
    platform: options.apiMinor < PLATFORM_MINOR ? undefined : parsePlatform(text("platform")),
    networkMode: networkOf(text("networkmode"), options.resolve),
    limits,
    shmSizeBytes: integerOf(query, "shmsize"),
    ulimits: readUlimits(query),
    extraHosts: readExtraHosts(hosts),
    cgroupParent: text("cgroupparent"),
    registryAuths: readRegistryConfig(options.registryConfig),
  };
}

/** One line of the stream; undefined: this client knows no such lines. */
export function writeBuildOutput(
  output: BuildOutput,
  apiMinor: number,
): Readonly<Record<string, unknown>> | undefined {
  switch (output.kind) {
    case "text":
      // As Docker's: what a command says on its standard error is red.
      return { stream: output.isError ? `\u001b[91m${output.text}\u001b[0m` : output.text };
    case "image":
      return apiMinor < AUX_MINOR ? undefined : { aux: { ID: output.id } };
    case "progress":
      return writeProgress(output.event);
  }
}

/** The last line of a stream of a build that failed. @param exitCode of a command; undefined: no command did. */
export function writeBuildError(
  message: string,
  exitCode: number | undefined,
): Readonly<Record<string, unknown>> {
  const detail = exitCode === undefined ? { message } : { code: exitCode, message };
  return { errorDetail: detail, error: message };
}

function refuse(query: URLSearchParams, flag: (name: string) => boolean): void {
  const version = query.get("version") ?? "";
  if (version === "2") throw buildKitRefused();
  if (version !== "" && version !== "1")
    throw new ClusterError("InvalidArgument", `invalid version ${JSON.stringify(version)}`);
  const remote = query.get("remote") ?? "";
  if (remote === "client-session") throw buildKitRefused();
  if (flag("squash"))
    throw new ClusterError("InvalidArgument", "squash is only supported with experimental mode");
  if (query.getAll("securityopt").some((option) => option !== ""))
    throw new ClusterError(
      "InvalidArgument",
      "The daemon on this platform does not support setting security options on build",
    );
  if (listOf(query, "outputs", "invalid outputs specified").length > 0) throw buildKitRefused();
  const isolation = query.get("isolation") ?? "";
  if (isolation !== "" && isolation !== "default")
    throw new ClusterError(
      "InvalidArgument",
      `unsupported isolation: ${JSON.stringify(isolation)}`,
    );
}

/** The same names as a container's have. */
function resourcesOf(query: URLSearchParams): Record<string, unknown> {
  const numbers = { Memory: "memory", MemorySwap: "memswap", CpuShares: "cpushares" };
  const more = { CpuPeriod: "cpuperiod", CpuQuota: "cpuquota" };
  const read = Object.entries({ ...numbers, ...more }).map(([field, name]) => [
    field,
    integerOf(query, name),
  ]);
  return {
    ...Object.fromEntries(read),
    CpusetCpus: query.get("cpusetcpus") ?? "",
    CpusetMems: query.get("cpusetmems") ?? "",
  };
}

/** Clients send one parameter for each host, or a list in JSON. */
function extraHostsOf(query: URLSearchParams): readonly string[] {
  return query.getAll("extrahosts").flatMap((text) => {
    if (!text.startsWith("[")) return text === "" ? [] : [text];
    const json = new JsonReader(
      { ExtraHosts: parseJson(text, "error reading extra hosts") },
      "build",
    );
    return json.strings("ExtraHosts");
  });
}

function readArgs(value: unknown): ReadonlyMap<string, string | undefined> {
  if (value === undefined || value === null) return new Map();
  const json = new JsonReader(value, "buildargs");
  const named = Object.entries(value as object);
  return new Map(
    named.map(([name, given]) => [name, given === null ? undefined : json.string(name)]),
  );
}

function cacheFromOf(query: URLSearchParams): readonly string[] {
  const value = readJson(query, "cachefrom", "error reading cache-from");
  const images = new JsonReader({ CacheFrom: value }, "build").strings("CacheFrom");
  if (images.length > CACHE_FROM_MAX)
    throw new ClusterError("InvalidArgument", `more than ${CACHE_FROM_MAX} images as a cache`);
  return images;
}

function labelsOf(query: URLSearchParams): Record<string, string> {
  return new JsonReader(
    { Labels: readJson(query, "labels", "error reading labels") },
    "build",
  ).stringMap("Labels");
}

function readUlimits(query: URLSearchParams): BuildSettings["ulimits"] {
  const value = readJson(query, "ulimits", "error reading ulimit settings");
  return new JsonReader({ Ulimits: value }, "build").objects("Ulimits", (limit) => ({
    name: limit.string("Name"),
    soft: limit.integer("Soft"),
    hard: limit.integer("Hard"),
  }));
}

function networkOf(mode: string, resolve: ResolveContainer): string {
  if (mode === "") return "default";
  if (!mode.startsWith("container:")) return mode;
  return `container:${resolve(mode.slice("container:".length))}`;
}

/** What cannot be read is nobody's login, as in Docker: the header is of no use to a build of what is here. */
function readRegistryConfig(header: string): ReadonlyMap<string, string> {
  if (header === "") return new Map();
  try {
    const config: unknown = JSON.parse(Buffer.from(header, "base64url").toString("utf8"));
    if (typeof config !== "object" || config === null) return new Map();
    return new Map(
      Object.entries(config).map(([registry, auth]) => [
        registry === HUB_KEY
          ? "docker.io"
          : registry.replace(/^https?:\/\//, "").replace(/\/.*$/, ""),
        Buffer.from(JSON.stringify(auth)).toString("base64url"),
      ]),
    );
  } catch {
    return new Map();
  }
}

function listOf(query: URLSearchParams, name: string, what: string): readonly unknown[] {
  const value = readJson(query, name, what);
  return Array.isArray(value) ? value : [];
}

function readJson(query: URLSearchParams, name: string, what: string): unknown {
  const text = query.get(name) ?? "";
  return text === "" ? undefined : parseJson(text, what);
}

/** The error does not quote what it could not read: build arguments may be secret. */
function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ClusterError("InvalidArgument", `${what}: not JSON`, { cause });
  }
}

function integerOf(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? "";
  const value = Number(text);
  if (/^-?\d*$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new ClusterError(
    "InvalidArgument",
    `invalid value ${JSON.stringify(text.slice(0, 40))} for ${name}: must be a whole number`,
  );
}
