import { resolve } from "node:path";
import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { csvFields } from "./csv.ts";
import { parseGpus } from "./gpus.ts";
import { parseMount } from "./mount.ts";

describe("flags: mounts", () => {
  const cases: { text: string; expected: object }[] = [
    { text: "dst=/b", expected: { Type: "volume", Target: "/b" } },
    {
      text: "type=bind,src=./a,dst=/b,ro,bind-propagation=rshared,bind-recursive=disabled",
      expected: {
        ...{ Type: "bind", Source: resolve("a"), Target: "/b", ReadOnly: true },
        BindOptions: { Propagation: "rshared", NonRecursive: true },
      },
    },
    {
      text: 'src=v,target=/b,volume-nocopy,volume-label=a=b,volume-driver=local,"volume-opt=o=a,b"',
      expected: {
        ...{ Type: "volume", Source: "v", Target: "/b" },
        VolumeOptions: {
          ...{ NoCopy: true, Labels: { a: "b" } },
          DriverConfig: { Name: "local", Options: { o: "a,b" } },
        },
      },
    },
    {
      text: "type=tmpfs,destination=/t,tmpfs-size=1m,tmpfs-mode=1770,readonly=false",
      expected: {
        ...{ Type: "tmpfs", Target: "/t", ReadOnly: false },
        TmpfsOptions: { SizeBytes: 1_048_576, Mode: 0o1770 },
      },
    },
  ];
  for (const { text, expected } of cases)
    it(text, () => expect(parseMount(text)).to.deep.equal(expected));
  const bad = ["", "src=v", "type=bind,dst=/b", "foo=1,dst=/b", "dst=/b,volume-nocopy=maybe"];
  const worse = ["type=bind,src=/a,dst=/b,tmpfs-size=1", "dst", "type=tmpfs,dst=/a,tmpfs-mode=9"];
  for (const text of [...bad, ...worse, 'dst="/a', "dst=/b,__proto__=a", "dst=/a,bind-recursive=x"])
    it(`refuses ${text}`, () => expect(() => parseMount(text)).to.throw(ClusterError));
});

describe("flags: lists in one line", () => {
  const cases: [string, string[]][] = [
    ["a", ["a"]],
    ["a,,b", ["a", "", "b"]],
    ['"a,b",c,"d""e"', ["a,b", "c", 'd"e']],
  ];
  for (const [text, expected] of cases)
    it(text, () => expect(csvFields(text)).to.deep.equal(expected));
});

describe("flags: GPUs", () => {
  const gpu = [["gpu"]];
  const cases: [string, object][] = [
    ["all", { Capabilities: gpu, Count: -1 }],
    ["2", { Capabilities: gpu, Count: 2 }],
    ['"device=0,1",driver=nvidia', { Capabilities: gpu, DeviceIDs: ["0", "1"], Driver: "nvidia" }],
    [
      '"capabilities=utility,gpu","options=a=b,c=d"',
      { Capabilities: [["utility", "gpu"]], Options: { a: "b", c: "d" }, Count: 1 },
    ],
  ];
  for (const [text, expected] of cases)
    it(text, () => expect(parseGpus(text)).to.deep.equal(expected));
  for (const text of ["x", "count=1,count=2", "foo=1"])
    it(`refuses ${text}`, () => expect(() => parseGpus(text)).to.throw(ClusterError));
});
