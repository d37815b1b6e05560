import { expect } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import { JsonReader } from "../../http/json-reader.ts";
import { readBind, readMounts } from "./mounts.ts";

const refused = (work: () => unknown, message: string) =>
  expect(work).to.throw(ClusterError, message).with.property("code", "InvalidArgument");

describe("wire: mounts of a container", () => {
  const binds = [
    { text: "/a:/b", expected: { type: "bind", source: "/a", target: "/b", createSource: true } },
    { text: "/a:/b:ro,rshared", expected: { readOnly: true, propagation: "rshared" } },
    { text: "/a:/b:z", expected: { readOnly: false } },
    { text: "data:/b:nocopy", expected: { type: "volume", source: "data", noCopy: true } },
    { text: "/b", expected: { type: "volume", source: "", target: "/b" } },
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
    { text: "../a:/b", says: "includes invalid characters for a local volume name" },
  ];
  for (const { text, says } of bad)
    it(`refuses ${JSON.stringify(text)}`, () => refused(() => readBind(text), says));

  const read = (config: object, host: object) =>
    readMounts(new JsonReader(config, "Config"), new JsonReader(host, "HostConfig"), () => [
      { ...readBind("v:/shared"), hostPath: "/volumes/v" },
    ]);

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
    refused(() => read({}, { Binds: ["/a:/b", "/c:/b/"] }), "Duplicate mount point: /b/");
  });

  const badMounts = [
    { mount: { Type: "bind", Target: "/x" }, says: "field Source must not be empty" },
    { mount: { Type: "bind", Source: "/x" }, says: "field Target must not be empty" },
    { mount: { Type: "tmpfs", Source: "/x", Target: "/x" }, says: "Source must not be specified" },
    { mount: { Type: "npipe", Source: "x", Target: "/x" }, says: 'mount type unknown: "npipe"' },
    { mount: { Type: "volume", Target: "x" }, says: "mount path must be absolute" },
    { mount: { Type: "volume", Target: "/" }, says: "destination can't be '/'" },
  ];
  for (const { mount, says } of badMounts)
    it(`refuses ${JSON.stringify(mount)}`, () =>
      refused(() => read({}, { Mounts: [mount] }), says));
});
