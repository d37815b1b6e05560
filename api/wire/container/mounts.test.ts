import { expect } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import { JsonReader } from "../../http/json-reader.ts";
import { readBind } from "./bind-text.ts";
import { readMounts } from "./mounts.ts";

const refused = (work: () => unknown, message: string) =>
  expect(work).to.throw(ClusterError, message).with.property("code", "InvalidArgument");

const bind = (options: object) => ({
  ...{ Type: "bind", Source: "/a", Target: "/x", BindOptions: options },
});
const volume = (options: object) => ({
  ...{ Type: "volume", Source: "vv", Target: "/x", VolumeOptions: options },
});

describe("wire: mounts of a container", () => {
  const binds = [
    { text: "/a:/b", expected: { type: "bind", source: "/a", target: "/b", createSource: true } },
    { text: "/a:/b:ro,rshared", expected: { readOnly: true, propagation: "rshared" } },
    { text: "/a:/b:z", expected: { readOnly: false } },
    { text: "data:/b:nocopy", expected: { type: "volume", source: "data", noCopy: true } },
    { text: "/b", expected: { type: "volume", source: "", target: "/b" } },
    { text: "/a:/b:ro,z,cached", expected: { readOnly: true, propagation: "" } },
  ];
  for (const { text, expected } of binds)
    it(`reads ${text}`, () => expect(readBind(text)).to.deep.include(expected));

  const bad = [
    { text: "", says: "invalid volume specification" },
    { text: "a:", says: "invalid volume specification" },
    { text: "/a:b", says: "mount path must be absolute" },
    { text: "/a:/", says: "invalid volume specification" },
    { text: "/a:/b:ro:x", says: "invalid volume specification" },
    { text: "/a:/b:public", says: "invalid mode: public" },
    { text: ":/b", says: "invalid volume specification: ':/b'" },
    { text: "/a:/b:ro,rw", says: "invalid mode: ro,rw" },
    { text: "/a:/b:,", says: "invalid mode: ," },
    { text: "/a:/b:nocopy", says: "field VolumeOptions must not be specified" },
    { text: "v:/b:shared", says: "field BindOptions must not be specified" },
    { text: "../a:/b", says: "includes invalid characters for a local volume name" },
  ];
  for (const { text, says } of bad)
    it(`refuses ${JSON.stringify(text)}`, () => refused(() => readBind(text), says));

  const read = (config: object, host: object) =>
    readMounts(
      new JsonReader(config, "Config"),
      new JsonReader(host, "HostConfig"),
      () => [{ ...readBind("v:/shared"), hostPath: "/volumes/v" }],
      51,
    );

  it("takes one kind after the other, each target once", () => {
    const mounts = read(
      { Volumes: { "/b": {}, "/c": {} } },
      {
        Binds: ["/a:/b"],
        Mounts: [{ Type: "volume", Source: "v", Target: "/v", ReadOnly: true }],
        Tmpfs: { "/t": "ro,size=1m" },
        VolumesFrom: ["other:ro"],
      },
    );
    expect(mounts.map(({ target, readOnly }) => [target, readOnly])).to.deep.equal([
      ["/b", false],
      ["/v", true],
      ["/t", true],
      ["/shared", true],
      ["/c", false],
    ]);
    expect(mounts[2]?.tmpfsOptions).to.deep.equal(["size=1m"]);
    refused(() => read({}, { Binds: ["/a:/b", "/c:/b/"] }), "Duplicate mount point: /b");
  });

  it("reads what a volume that is made is to be, and which part of it is wanted", () => {
    const options = { type: "tmpfs", device: "tmpfs" };
    const said = { Subpath: "a/../b", DriverConfig: { Name: "local", Options: options } };
    const [mount] = read({}, { Mounts: [volume({ ...said, Labels: { l: "m" } })] });
    expect(mount).to.deep.include({
      subpath: "a/../b",
      driverOptions: options,
      labels: { l: "m" },
    });
  });

  it("reads how far down a bind is read-only", () => {
    const depthOf = (options: object) =>
      read({}, { Mounts: [{ ...bind(options), ReadOnly: true }] })[0]?.readOnlyDepth;
    expect(depthOf({})).to.equal(undefined);
    expect(depthOf({ ReadOnlyNonRecursive: true })).to.equal("top");
    expect(depthOf({ ReadOnlyForceRecursive: true })).to.equal("all");
  });

  it("takes others' mounts as they are, filled already, at most to be read", () => {
    const [mount] = read({}, { VolumesFrom: ["other"] });
    expect(mount).to.include({ source: "v", readOnly: false, noCopy: true });
    refused(() => read({}, { VolumesFrom: ["other:odd"] }), "invalid mode: odd");
  });

  const badMounts = [
    { mount: { Type: "bind", Target: "/x" }, says: "field Source must not be empty" },
    { mount: { Type: "bind", Source: "/x" }, says: "field Target must not be empty" },
    { mount: { Type: "tmpfs", Source: "/x", Target: "/x" }, says: "Source must not be specified" },
    {
      mount: { Type: "npipe", Source: "x", Target: "/x" },
      says: 'type "npipe": mount type unknown',
    },
    { mount: { Type: "volume", Target: "/x", ReadOnly: true }, says: "must not set ReadOnly mode" },
    { mount: { Type: "volume", Target: "x" }, says: "mount path must be absolute" },
    { mount: { Type: "volume", Target: "/" }, says: "destination can't be '/'" },
    {
      mount: { Type: "bind", Source: "/a", Target: "/x", VolumeOptions: {} },
      says: 'VolumeOptions must not be specified on mount type "bind"',
    },
    {
      mount: { Type: "bind", Source: "/a", Target: "/x", BindOptions: { Propagation: "odd" } },
      says: "invalid propagation mode: odd",
    },
    {
      mount: bind({ ReadOnlyForceRecursive: true }),
      says: "mount options conflict: !ReadOnly && BindOptions.ReadOnlyForceRecursive",
    },
    {
      mount: volume({ DriverConfig: { Name: "nfs" } }),
      says: 'error looking up volume plugin nfs: plugin "nfs" not found',
    },
    { mount: volume({ Subpath: "../x" }), says: "must be a relative path within the volume" },
    { mount: volume({ Subpath: "a/../../x" }), says: "must be a relative path within the volume" },
    { mount: volume({ Subpath: "/x" }), says: "must be a relative path within the volume" },
    {
      mount: { Type: "volume", Target: "/x", VolumeOptions: { Subpath: "a" } },
      says: "must not set Subpath when using anonymous volumes",
    },
  ];
  for (const { mount, says } of badMounts)
    it(`refuses ${JSON.stringify(mount)}`, () =>
      refused(() => read({}, { Mounts: [mount] }), says));
});
