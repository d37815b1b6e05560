import { expect } from "chai";
import type { VolumeFacts } from "../backends/volumes.ts";
import { filterVolumes, prunesVolumes, readVolumeCreate, writeVolume } from "./volume.ts";

const NO_VOLUME: VolumeFacts = {
  ...{ name: "", mountpoint: "/m", labels: {}, options: {}, createdAtMs: 0, users: 0 },
};
const ANONYMOUS = { "com.docker.volume.anonymous": "" };
const ALL: readonly VolumeFacts[] = [
  { ...NO_VOLUME, name: "used", users: 2, labels: { a: "1", b: "2" } },
  { ...NO_VOLUME, name: "data-free", labels: { a: "2" } },
  { ...NO_VOLUME, name: "0123", labels: ANONYMOUS },
];

describe("volumes on the wire", () => {
  it("are read, with what is missing empty", () => {
    expect(readVolumeCreate({})).to.deep.equal({ name: "", labels: {}, options: {} });
    const body = { Name: "v", Driver: "local", Labels: { a: "b" }, DriverOpts: { type: "t" } };
    expect(readVolumeCreate({ ...body, ClusterVolumeSpec: null })).to.deep.equal({
      ...{ name: "v", labels: { a: "b" }, options: { type: "t" } },
    });
  });

  const refused = [
    { body: { Driver: "nfs", Name: "v" }, says: 'plugin nfs: plugin "nfs" not found' },
    { body: { ClusterVolumeSpec: {} }, says: "cluster volumes are not supported" },
    { body: { Name: 5 }, says: "VolumeConfig.Name must be a string" },
    { body: { Labels: { a: 5 } }, says: "VolumeConfig.Labels.a must be a string" },
    { body: [], says: "VolumeConfig must be an object" },
  ];
  for (const { body, says } of refused)
    it(`are refused: ${JSON.stringify(body)}`, () => {
      expect(() => readVolumeCreate(body)).to.throw(says);
    });

  it("are shown, null where nothing was said, with their use where it is asked for", () => {
    const shown = writeVolume({ ...NO_VOLUME, name: "v", users: 1 }, { sizeBytes: 5 });
    expect(shown).to.deep.equal({
      ...{ CreatedAt: "0001-01-01T00:00:00Z", Driver: "local", Labels: null, Mountpoint: "/m" },
      ...{ Name: "v", Options: null, Scope: "local", UsageData: { RefCount: 1, Size: 5 } },
    });
    expect(writeVolume(NO_VOLUME)).to.not.have.property("UsageData");
  });

  const filters: { filters: Record<string, string[]>; names: string[] }[] = [
    { filters: {}, names: ["0123", "data-free", "used"] },
    { filters: { dangling: ["true"] }, names: ["0123", "data-free"] },
    { filters: { dangling: ["0"] }, names: ["used"] },
    { filters: { driver: ["local"] }, names: ["0123", "data-free", "used"] },
    { filters: { driver: ["nfs"] }, names: [] },
    { filters: { label: ["a"] }, names: ["data-free", "used"] },
    { filters: { label: ["a=1", "b"] }, names: ["used"] },
    { filters: { label: ["toString"] }, names: [] },
    { filters: { name: ["data"] }, names: ["data-free"] },
    { filters: { name: ["^used$", "0.2"] }, names: ["0123", "used"] },
    { filters: { name: ["("] }, names: [] },
  ];
  for (const { filters: given, names } of filters)
    it(`are listed by ${JSON.stringify(given)}`, () => {
      expect(filterVolumes(ALL, given).map(({ name }) => name)).to.deep.equal(names);
    });

  for (const given of [
    { dangling: ["maybe"] },
    { dangling: ["1", "0"] },
    { name: ["x".repeat(2000)] },
  ])
    it(`are not listed by ${JSON.stringify(given).slice(0, 40)}`, () => {
      expect(() => filterVolumes(ALL, given)).to.throw("invalid filter");
    });

  const prunes: { filters: Record<string, string[]>; minor: number; names: string[] }[] = [
    { filters: {}, minor: 42, names: ["0123"] },
    { filters: {}, minor: 41, names: ["used", "data-free", "0123"] },
    { filters: { all: ["true"] }, minor: 51, names: ["used", "data-free", "0123"] },
    { filters: { all: ["false"] }, minor: 41, names: ["0123"] },
    { filters: { all: ["1"], label: ["a"] }, minor: 51, names: ["used", "data-free"] },
    { filters: { all: ["1"], "label!": ["a=1"] }, minor: 51, names: ["data-free", "0123"] },
  ];
  for (const { filters: given, minor, names } of prunes)
    it(`are pruned by ${JSON.stringify(given)} in API 1.${minor}`, () => {
      const taken = ALL.filter(prunesVolumes(given, minor));
      expect(taken.map(({ name }) => name)).to.deep.equal(names);
    });

  it("with options are never pruned: they may be shares that others use", () => {
    const takes = prunesVolumes({ all: ["true"] }, 51);
    expect(takes({ labels: {}, options: {} })).to.equal(true);
    expect(takes({ labels: {}, options: { type: "nfs", device: ":/x" } })).to.equal(false);
  });
});
