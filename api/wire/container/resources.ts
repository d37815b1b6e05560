import type { ResourceLimits } from "../../backends/container-settings.ts";
import type { JsonReader } from "../../http/json-reader.ts";

/** Docker's Resources ↔ limits. Source: docker-engine-api-v1.51.yaml, Resources. */

/** @throws {ClusterError} InvalidArgument for wrong types, and for what only Windows has. */
export function readLimits(json: JsonReader): ResourceLimits {
  json.refuse("CpuCount", "CpuPercent", "IOMaximumIOps", "IOMaximumBandwidth");
  const swappiness = json.optionalInteger("MemorySwappiness");
  return {
    nanoCpus: json.integer("NanoCpus"),
    memoryBytes: json.integer("Memory"),
    // Zero and below: none was asked for.
    pids: Math.max(json.integer("PidsLimit"), 0),
    cpuShares: json.integer("CpuShares"),
    cpuQuotaUs: json.integer("CpuQuota"),
    cpuPeriodUs: json.integer("CpuPeriod"),
    cpuRealtimeRuntimeUs: json.integer("CpuRealtimeRuntime"),
    cpuRealtimePeriodUs: json.integer("CpuRealtimePeriod"),
    cpusetCpus: json.string("CpusetCpus"),
    cpusetMems: json.string("CpusetMems"),
    memorySwapBytes: json.integer("MemorySwap"),
    memoryReservationBytes: json.integer("MemoryReservation"),
    memorySwappiness: swappiness === -1 ? undefined : swappiness,
    oomKillDisable: json.boolean("OomKillDisable"),
    blkioWeight: json.integer("BlkioWeight"),
    blkioWeightDevices: json.objects("BlkioWeightDevice", (device) => ({
      path: device.string("Path"),
      weight: device.integer("Weight"),
    })),
    blkioReadBps: readRates(json, "BlkioDeviceReadBps"),
    blkioWriteBps: readRates(json, "BlkioDeviceWriteBps"),
    blkioReadIops: readRates(json, "BlkioDeviceReadIOps"),
    blkioWriteIops: readRates(json, "BlkioDeviceWriteIOps"),
  };
}

/** The fields of an update that are set; the others keep what the container has. */
export function amendLimits(json: JsonReader, before: ResourceLimits): ResourceLimits {
  const asked = readLimits(json);
  const change: Record<string, unknown> = {};
  for (const [field, names] of Object.entries(FIELDS))
    if (names.some((name) => json.isSet(name)))
      change[field] = asked[field as keyof ResourceLimits];
  // Nothing but -1 takes a limit away: 0 says that the client has no opinion.
  if (json.integer("PidsLimit") === -1) change.pids = 0;
  // What it followed from was the memory it had.
  return { ...before, memorySwapBytes: swapOf(before), ...change };
}

const FIELDS: Readonly<Record<keyof ResourceLimits, readonly string[]>> = {
  nanoCpus: ["NanoCpus"],
  memoryBytes: ["Memory"],
  pids: ["PidsLimit"],
  cpuShares: ["CpuShares"],
  cpuQuotaUs: ["CpuQuota"],
  cpuPeriodUs: ["CpuPeriod"],
  cpuRealtimeRuntimeUs: ["CpuRealtimeRuntime"],
  cpuRealtimePeriodUs: ["CpuRealtimePeriod"],
  cpusetCpus: ["CpusetCpus"],
  cpusetMems: ["CpusetMems"],
  memorySwapBytes: ["MemorySwap"],
  memoryReservationBytes: ["MemoryReservation"],
  memorySwappiness: [],
  oomKillDisable: [],
  blkioWeight: ["BlkioWeight"],
  blkioWeightDevices: ["BlkioWeightDevice"],
  blkioReadBps: ["BlkioDeviceReadBps"],
  blkioWriteBps: ["BlkioDeviceWriteBps"],
  blkioReadIops: ["BlkioDeviceReadIOps"],
  blkioWriteIops: ["BlkioDeviceWriteIOps"],
};

export function writeLimits(limits: ResourceLimits): Record<string, unknown> {
  return {
    CpuShares: limits.cpuShares,
    Memory: limits.memoryBytes,
    NanoCpus: limits.nanoCpus,
    BlkioWeight: limits.blkioWeight,
    BlkioWeightDevice: limits.blkioWeightDevices.map(({ path, weight }) => ({
      Path: path,
      Weight: weight,
    })),
    BlkioDeviceReadBps: writeRates(limits.blkioReadBps),
    BlkioDeviceWriteBps: writeRates(limits.blkioWriteBps),
    BlkioDeviceReadIOps: writeRates(limits.blkioReadIops),
    BlkioDeviceWriteIOps: writeRates(limits.blkioWriteIops),
    CpuPeriod: limits.cpuPeriodUs,
    CpuQuota: limits.cpuQuotaUs,
    CpuRealtimePeriod: limits.cpuRealtimePeriodUs,
    CpuRealtimeRuntime: limits.cpuRealtimeRuntimeUs,
    CpusetCpus: limits.cpusetCpus,
    CpusetMems: limits.cpusetMems,
    MemoryReservation: limits.memoryReservationBytes,
    MemorySwap: swapOf(limits),
    MemorySwappiness: limits.memorySwappiness ?? null,
    OomKillDisable: limits.oomKillDisable,
    PidsLimit: limits.pids === 0 ? null : limits.pids,
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
  };
}

/** As the kernel has it: twice the memory unless another value was asked for. */
export function swapOf({ memorySwapBytes, memoryBytes }: ResourceLimits): number {
  return memorySwapBytes === 0 ? memoryBytes * 2 : memorySwapBytes;
}

function readRates(json: JsonReader, name: string): ResourceLimits["blkioReadBps"] {
  return json.objects(name, (device) => ({
    path: device.string("Path"),
    rate: device.count("Rate"),
  }));
}

function writeRates(rates: ResourceLimits["blkioReadBps"]): Record<string, unknown>[] {
  return rates.map(({ path, rate }) => ({ Path: path, Rate: rate }));
}
