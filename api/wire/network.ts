import type { IpamConfig, Network, NetworkSpec } from "../../proto/gen/objects.ts";
import { JsonReader } from "../http/json-reader.ts";
import { omitEmpty, wireMeta, wireTime } from "./common.ts";

/** Reads the body of `POST /networks/create`. Only what a swarm network can be is accepted. */
export function readNetworkSpec(body: unknown): NetworkSpec {
  const json = new JsonReader(body, "Network");
  json.refuse("ConfigOnly", "ConfigFrom", "EnableIPv6");
  const ipam = json.object("IPAM");
  return {
    name: json.string("Name"),
    labels: json.stringMap("Labels"),
    driver: json.string("Driver") || "overlay",
    internal: json.boolean("Internal"),
    attachable: json.boolean("Attachable"),
    ingress: json.boolean("Ingress"),
    driverOptions: json.stringMap("Options"),
    ipam: ipam.objects("Config", (config) => {
      config.refuse("AuxiliaryAddresses");
      return {
        subnet: config.string("Subnet"),
        gateway: config.string("Gateway"),
        ipRange: config.string("IPRange"),
      };
    }),
  };
}

/** Docker's network resource, as `/networks` answers it. */
export function writeNetwork(network: Network): Record<string, unknown> {
  const spec = network.spec;
  return {
    Name: spec?.name ?? "",
    Id: network.id,
    Created: wireTime(network.meta?.createdAtMs ?? 0),
    Scope: "swarm",
    Driver: spec?.driver ?? "overlay",
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: "default", Options: null, Config: network.ipam.map(writeIpam) },
    Internal: spec?.internal ?? false,
    Attachable: spec?.attachable ?? false,
    Ingress: spec?.ingress ?? false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: null,
    Options: writeOptions(network),
    Labels: spec?.labels ?? {},
  };
}

/** The network inside a task's attachment, in swarm's object form. */
export function writeNetworkSummary(network: Network): Record<string, unknown> {
  const spec = network.spec;
  return {
    ...wireMeta(network.id, network.meta),
    Spec: {
      ...omitEmpty({ Name: spec?.name }),
      Labels: spec?.labels ?? {},
      DriverConfiguration: { Name: spec?.driver ?? "overlay" },
      ...omitEmpty({
        Ingress: spec?.ingress,
        Internal: spec?.internal,
        Attachable: spec?.attachable,
      }),
      Scope: "swarm",
    },
    DriverState: { Name: spec?.driver ?? "overlay", Options: writeOptions(network) },
    IPAMOptions: { Driver: { Name: "default" }, Configs: network.ipam.map(writeIpam) },
  };
}

function writeOptions(network: Network): Record<string, string> {
  const vni =
    network.vni === 0
      ? {}
      : { "com.docker.network.driver.overlay.vxlanid_list": String(network.vni) };
  return { ...vni, ...network.spec?.driverOptions };
}

function writeIpam(config: IpamConfig): Record<string, unknown> {
  return omitEmpty({ Subnet: config.subnet, IPRange: config.ipRange, Gateway: config.gateway });
}
