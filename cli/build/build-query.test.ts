import { expect } from "chai";
import { type BuildFlags, buildQuery } from "./build-query.ts";
import { isArchive } from "./standard-input.ts";

const ENV = { FROM_HERE: "value" };

describe("muster build", () => {
  const CASES: readonly (readonly [flags: BuildFlags, query: Record<string, unknown>])[] = [
    [
      {},
      { dockerfile: "D", t: [], rm: "1", nocache: false, buildargs: undefined, memory: undefined },
    ],
    [
      { tag: ["a", "b:1"], target: "x" },
      { t: ["a", "b:1"], target: "x" },
    ],
    [
      { cache: false, pull: true, quiet: true, forceRm: true },
      { nocache: true, pull: true, q: true, forcerm: true },
    ],
    [{ rm: false }, { rm: "0" }],
    [{ cacheFrom: ["a", "b"] }, { cachefrom: '["a","b"]', remote: undefined }],
    [
      { buildArg: ["A=b=c", "FROM_HERE", "NOT_HERE"] },
      { buildargs: '{"A":"b=c","FROM_HERE":"value","NOT_HERE":null}' },
    ],
    [{ label: ["a=b", "c"] }, { labels: '{"a":"b","c":""}' }],
    [
      { memory: "64m", memorySwap: "-1", shmSize: "1k" },
      { memory: "67108864", memswap: "-1", shmsize: "1024" },
    ],
    [{ ulimit: ["nofile=1:2"] }, { ulimits: '[{"Name":"nofile","Soft":1,"Hard":2}]' }],
    [
      { addHost: ["a:192.0.2.1"], network: "none" },
      { extrahosts: ["a:192.0.2.1"], networkmode: "none" },
    ],
  ];
  for (const [flags, query] of CASES)
    it(`asks for ${JSON.stringify(flags)}`, () =>
      expect(buildQuery(flags, { dockerfile: "D" }, ENV)).to.deep.include(query));

  it("refuses what is no size", () => {
    expect(() => buildQuery({ memory: "lots" }, { dockerfile: "D" }, ENV)).to.throw(
      "invalid size 'lots'",
    );
  });
  it("knows an archive from a Dockerfile", () => {
    const tar = Buffer.alloc(512);
    tar.write("ustar", 257);
    expect([tar, Buffer.from("BZh9")].map(isArchive)).to.deep.equal([true, true]);
    expect(isArchive(Buffer.from([0x1f, 0x8b, 8]))).to.equal(true);
    expect(isArchive(Buffer.from("FROM a\n"))).to.equal(false);
    expect(isArchive(Buffer.alloc(0))).to.equal(false);
  });
});
