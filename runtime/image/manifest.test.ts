import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { parseImageConfig } from "./image-config.ts";
import { encodeManifest, MediaType, parseManifest } from "./manifest.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const BLOB = { mediaType: MediaType.OciLayerGzip, digest: DIGEST, size: 3 };

function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
}

describe("image manifest", () => {
  it("reads an image, and what it writes itself", () => {
    const manifest = parseManifest(bytesOf({ schemaVersion: 2, config: BLOB, layers: [BLOB] }));
    if (manifest.kind !== "manifest") throw new Error("not an image");
    expect(manifest.mediaType).to.equal(MediaType.OciManifest);
    expect(manifest.layers).to.deep.equal([
      { mediaType: BLOB.mediaType, digest: DIGEST, sizeBytes: 3 },
    ]);
    expect(parseManifest(encodeManifest(manifest.config, manifest.layers))).to.deep.equal(manifest);
  });
  it("reads an index", () => {
    const entry = {
      ...BLOB,
      platform: { os: "linux", architecture: "arm64" },
      annotations: { a: "b" },
    };
    const index = parseManifest(
      bytesOf({ schemaVersion: 2, mediaType: MediaType.DockerList, manifests: [entry, BLOB] }),
    );
    if (index.kind !== "index") throw new Error("not an index");
    expect(index.entries.map(({ platform }) => platform)).to.deep.equal([
      { os: "linux", architecture: "arm64", variant: "" },
      undefined,
    ]);
    expect(index.entries[0]?.annotations).to.deep.equal({ a: "b" });
  });

  const refused: { name: string; document: unknown; reason: RegExp }[] = [
    { name: "what is not JSON", document: "<html>", reason: /not JSON/ },
    { name: "a list", document: [], reason: /want an object/ },
    { name: "schema 1", document: { schemaVersion: 1, fsLayers: [] }, reason: /schema version 2/ },
    {
      name: "what is both image and index",
      document: { schemaVersion: 2, manifests: [], layers: [], config: BLOB },
      reason: /both an image and an index/,
    },
    { name: "what is neither", document: { schemaVersion: 2 }, reason: /neither/ },
    {
      name: "an image that calls itself an index",
      document: { schemaVersion: 2, mediaType: MediaType.OciIndex, config: BLOB, layers: [] },
      reason: /unknown media type/,
    },
    {
      name: "a path for a digest",
      document: { schemaVersion: 2, config: { ...BLOB, digest: "sha256:../../x" }, layers: [] },
      reason: /invalid digest/,
    },
    {
      name: "a negative size",
      document: { schemaVersion: 2, config: { ...BLOB, size: -1 }, layers: [] },
      reason: /config size: want a whole number/,
    },
    {
      name: "too many layers",
      document: { schemaVersion: 2, config: BLOB, layers: Array(128).fill(BLOB) },
      reason: /at most 127/,
    },
  ];
  for (const { name, document, reason } of refused) {
    it(`refuses ${name}`, () => {
      expect(() => parseManifest(bytesOf(document)))
        .to.throw(ClusterError, reason)
        .with.property("code", "InvalidArgument");
    });
  }
});

describe("image configuration", () => {
  it("reads what containers need", () => {
    const { config, platform, diffIds } = parseImageConfig(
      bytesOf({
        os: "linux",
        architecture: "arm64",
        variant: "v8",
        config: {
          Entrypoint: ["a"],
          Cmd: null,
          Env: ["A=b"],
          User: "1:2",
          WorkingDir: "/w",
          Labels: { __proto__x: "y" },
          ExposedPorts: { "80/tcp": {} },
          Volumes: { "/data": {} },
          StopSignal: "SIGQUIT",
          Healthcheck: { Test: ["CMD", "true"], Interval: 5_000_000_000, Retries: 3 },
        },
        rootfs: { type: "layers", diff_ids: [DIGEST] },
      }),
    );
    expect(config).to.deep.equal({
      entrypoint: ["a"],
      cmd: [],
      env: ["A=b"],
      user: "1:2",
      workdir: "/w",
      labels: { __proto__x: "y" },
      exposedPorts: ["80/tcp"],
      volumes: ["/data"],
      stopSignal: "SIGQUIT",
      healthcheck: {
        test: ["CMD", "true"],
        intervalMs: 5000,
        timeoutMs: 0,
        retries: 3,
        startPeriodMs: 0,
        startIntervalMs: 0,
      },
    });
    expect(platform).to.deep.equal({ os: "linux", architecture: "arm64", variant: "v8" });
    expect(diffIds).to.deep.equal([DIGEST]);
  });
  it("refuses what is not a container image", () => {
    expect(() => parseImageConfig(bytesOf({}))).to.throw(/not a container image/);
  });
  it("refuses a value of another type, and says which", () => {
    const rootfs = { type: "layers", diff_ids: [] };
    expect(() => parseImageConfig(bytesOf({ rootfs, config: { Env: "A=b" } }))).to.throw(
      /image Env: want a list/,
    );
    expect(() => parseImageConfig(bytesOf({ rootfs, config: { User: 1 } }))).to.throw(
      /image User: want a text/,
    );
  });
});
