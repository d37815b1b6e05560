import type { DiskUsageBackend } from "../../api/backends/disk-usage.ts";
import type { ImageBackend, ImageFacts } from "../../api/backends/images.ts";
import type { RegistryBackend } from "../../api/backends/registries.ts";
import type { VolumeBackend } from "../../api/backends/volumes.ts";
import { ClusterError } from "../../core/errors.ts";

const CONFIG = {
  created: "2024-01-02T03:04:05Z",
  config: {
    User: "www",
    Cmd: ["sh"],
    Env: ["A=b"],
    Labels: { a: "b" },
    ExposedPorts: { "80/tcp": {} },
    Volumes: { "/data": {} },
    Healthcheck: { Test: ["CMD", "true"], Interval: 1_000_000_000 },
    StopSignal: "SIGINT",
    OnBuild: ["RUN true"],
  },
  history: [{ created: "2024-01-02T03:04:05Z", created_by: "ADD file" }],
};

/** An image that says something in every field. */
export const WEB_IMAGE: ImageFacts = {
  id: `sha256:${"0".repeat(64)}`,
  repoTags: ["web:1", "r:5000/team/web:1"],
  repoDigests: [`web@sha256:${"1".repeat(64)}`],
  createdAtMs: Date.parse(CONFIG.created),
  sizeBytes: 1000,
  labels: { a: "b" },
  layers: [{ digest: `sha256:${"2".repeat(64)}`, sizeBytes: 1000 }],
  containers: 1,
  platform: { os: "linux", architecture: "arm64", variant: "v8" },
  parentId: "",
  hasChildren: false,
  rawConfig: JSON.stringify(CONFIG),
};

/** One image, always the same, whatever is done to it. Registries are not there. */
export function memoryImages(): ImageBackend {
  const unreachable = async () => {
    throw new ClusterError("Unavailable", "registry r:5000 is unreachable: it is a test");
  };
  return {
    listImages: () => [WEB_IMAGE],
    getImage(ref) {
      if ([...WEB_IMAGE.repoTags, WEB_IMAGE.id].includes(ref)) return WEB_IMAGE;
      throw new ClusterError("NotFound", `No such image: ${ref}`);
    },
    tagImage: async () => {},
    removeImage: async () => ({ untagged: ["web:1"], deleted: [WEB_IMAGE.id] }),
    pruneImages: async (fits) => {
      const deleted = fits(WEB_IMAGE) ? [WEB_IMAGE.id] : [];
      return { untagged: [], deleted, reclaimedBytes: deleted.length * 1000 };
    },
    pullImage: unreachable,
    pushImage: unreachable,
    loadImages: async () => [{ id: WEB_IMAGE.id, names: ["web:1"] }],
    async *saveImages() {
      yield new Uint8Array(1024);
    },
    commitImage: async () => WEB_IMAGE.id,
    fetchArchive: () =>
      Promise.reject(new ClusterError("Unavailable", "no file can be fetched: it is a test")),
    importImage: async () => WEB_IMAGE.id,
  };
}

/** Lets `alice` in, who has one repository. */
export function memoryRegistries(): RegistryBackend {
  const result = { name: "alice/web", description: "", stars: 3, isOfficial: false };
  return {
    async login({ username }) {
      if (username === "alice") return "token";
      throw new ClusterError("Unauthenticated", "login attempt failed");
    },
    searchImages: async () => [{ ...result, isAutomated: false }],
  };
}

export function memoryDiskUsage(): DiskUsageBackend {
  return { volumeUsage: async () => [{ ...VOLUME, sizeBytes: 7 }] };
}

const VOLUME = {
  ...{ name: "v", mountpoint: "/v", labels: { a: "b" }, options: {} },
  ...{ createdAtMs: 1, users: 0 },
};

/** One volume that stays what it is. */
export function memoryVolumes(): VolumeBackend {
  return {
    listVolumes: () => [VOLUME],
    getVolume(name) {
      if (name === VOLUME.name) return VOLUME;
      throw new ClusterError("NotFound", `get ${name}: no such volume`);
    },
    createVolume: async (request) => ({ ...VOLUME, ...request }),
    async removeVolume(name) {
      this.getVolume(name);
    },
    pruneVolumes: async (fits) =>
      fits(VOLUME) ? { names: ["v"], reclaimedBytes: 7 } : { names: [], reclaimedBytes: 0 },
  };
}
