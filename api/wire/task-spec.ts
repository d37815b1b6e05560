import { ClusterError } from "../../core/errors.ts";
import {
  type NetworkAttachmentConfig,
  type Placement,
  type ResourceRequirements,
  type Resources,
  type RestartPolicy,
  RestartPolicy_Condition,
  type TaskSpec,
} from "../../proto/gen/objects.ts";
import type { JsonReader } from "../http/json-reader.ts";
import { maybe, omitEmpty, wordOf } from "./common.ts";
import { readContainerSpec, writeContainerSpec } from "./container-spec.ts";

const CONDITIONS = {
  none: RestartPolicy_Condition.NONE,
  "on-failure": RestartPolicy_Condition.ON_FAILURE,
  any: RestartPolicy_Condition.ANY,
} as const;

/** Reads Docker's TaskSpec of the runtime "container"; plugins and attachments are refused. */
export function readTaskSpec(json: JsonReader, registryAuth: string): TaskSpec {
  json.refuse("PluginSpec", "NetworkAttachmentSpec");
  const runtime = json.string("Runtime");
  if (runtime !== "" && runtime !== "container") {
    throw new ClusterError(
      "InvalidArgument",
      `invalid runtime '${runtime}': only 'container' is supported`,
    );
  }
  return {
    container: readContainerSpec(json.object("ContainerSpec"), registryAuth),
    resources: json.optionalObject("Resources", readResources),
    restart: json.optionalObject("RestartPolicy", readRestart),
    placement: json.optionalObject("Placement", readPlacement),
    networks: json.objects("Networks", readNetworkAttachment),
    forceUpdate: json.count("ForceUpdate"),
    logDriver: json.optionalObject("LogDriver", (driver) => ({
      name: driver.string("Name"),
      options: driver.stringMap("Options"),
    })),
  };
}

/** Stored specs never change, and all tasks of a revision share one: it is written once. */
const written = new WeakMap<TaskSpec, Record<string, unknown>>();

/** Writes Docker's TaskSpec; also a TaskTemplate of a service. */
export function writeTaskSpec(spec: TaskSpec): Record<string, unknown> {
  const known = written.get(spec);
  if (known !== undefined) return known;
  const fresh = writeFields(spec);
  written.set(spec, fresh);
  return fresh;
}

function writeFields(spec: TaskSpec): Record<string, unknown> {
  return {
    ContainerSpec: maybe(spec.container, writeContainerSpec) ?? {},
    Resources: maybe(spec.resources, writeResources),
    RestartPolicy: maybe(spec.restart, writeRestart),
    Placement: maybe(spec.placement, writePlacement),
    ...(spec.networks.length === 0 ? {} : { Networks: spec.networks.map(writeNetworkAttachment) }),
    ForceUpdate: spec.forceUpdate,
    LogDriver: maybe(spec.logDriver, ({ name, options }) =>
      omitEmpty({ Name: name, Options: options }),
    ),
    Runtime: "container",
  };
}

/** Also of `PUT`s of networks on the service itself, as old clients send them. */
export function readNetworkAttachment(json: JsonReader): NetworkAttachmentConfig {
  return {
    target: json.string("Target"),
    aliases: json.strings("Aliases"),
    driverOptions: json.stringMap("DriverOpts"),
  };
}

function writeNetworkAttachment(network: NetworkAttachmentConfig): Record<string, unknown> {
  const options = Object.keys(network.driverOptions).length > 0 ? network.driverOptions : undefined;
  return omitEmpty({ Target: network.target, Aliases: network.aliases, DriverOpts: options });
}

function readResources(json: JsonReader): ResourceRequirements {
  json.refuse("SwapBytes", "MemorySwappiness");
  return {
    limits: json.optionalObject("Limits", readAmounts),
    reservations: json.optionalObject("Reservations", (amounts) => {
      amounts.refuse("GenericResources");
      return readAmounts(amounts);
    }),
  };
}

function readAmounts(json: JsonReader): Resources {
  return {
    nanoCpus: json.integer("NanoCPUs"),
    memoryBytes: json.integer("MemoryBytes"),
    pids: json.integer("Pids"),
  };
}

function writeResources(resources: ResourceRequirements): Record<string, unknown> {
  return {
    Limits: maybe(resources.limits, writeAmounts),
    Reservations: maybe(resources.reservations, writeAmounts),
  };
}

function writeAmounts(amounts: Resources): Record<string, unknown> {
  return omitEmpty({
    NanoCPUs: amounts.nanoCpus,
    MemoryBytes: amounts.memoryBytes,
    Pids: amounts.pids,
  });
}

function readRestart(json: JsonReader): RestartPolicy {
  return {
    condition: json.choice("Condition", CONDITIONS, RestartPolicy_Condition.UNSPECIFIED),
    delayNs: json.optionalInteger("Delay"),
    maxAttempts: json.optionalCount("MaxAttempts"),
    windowNs: json.optionalInteger("Window"),
  };
}

function writeRestart(restart: RestartPolicy): Record<string, unknown> {
  return {
    ...omitEmpty({ Condition: wordOf(CONDITIONS, restart.condition) }),
    Delay: restart.delayNs,
    MaxAttempts: restart.maxAttempts,
    Window: restart.windowNs,
  };
}

function readPlacement(json: JsonReader): Placement {
  return {
    constraints: json.strings("Constraints"),
    maxReplicas: json.count("MaxReplicas"),
    platforms: json.objects("Platforms", (platform) => ({
      architecture: platform.string("Architecture"),
      os: platform.string("OS"),
    })),
    spread: json.objects("Preferences", (preference) =>
      preference.object("Spread").string("SpreadDescriptor"),
    ),
  };
}

function writePlacement(placement: Placement): Record<string, unknown> {
  return omitEmpty({
    Constraints: placement.constraints,
    Preferences: placement.spread.map((descriptor) => ({
      Spread: { SpreadDescriptor: descriptor },
    })),
    MaxReplicas: placement.maxReplicas,
    Platforms: placement.platforms.map(({ architecture, os }) =>
      omitEmpty({ Architecture: architecture, OS: os }),
    ),
  });
}
