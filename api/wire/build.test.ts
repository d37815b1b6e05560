import { expect } from "chai";
import type { BuildSettings } from "../backends/builds.ts";
import { readBuildQuery, writeBuildError, writeBuildOutput } from "./build.ts";

const ID = "a".repeat(64);

function read(
  query: string | Record<string, string>,
  registryConfig = "",
  apiMinor = 41,
): BuildSettings {
  const resolve = (ref: string) => (ref === "web" ? ID : ref);
  return readBuildQuery(new URLSearchParams(query), { apiMinor, registryConfig, resolve });
}

describe("builds on the wire", () => {
  const CASES: readonly (readonly [
    query: Record<string, string>,
    settings: Partial<BuildSettings>,
  ])[] = [
    [{}, { dockerfile: "", tags: [], target: "", noCache: false, pull: false, remove: true }],
    [
      { rm: "0", forcerm: "1", nocache: "1", pull: "1" },
      { remove: false, forceRemove: true, noCache: true, pull: true },
    ],
    [
      { dockerfile: "a/b", target: "c", t: "x:1" },
      { dockerfile: "a/b", target: "c", tags: ["x:1"] },
    ],
    [{ cachefrom: '["x"]' }, { cacheFrom: ["x"] }],
    [{ cachefrom: "null" }, { cacheFrom: [] }],
    [{ labels: '{"a":"b"}' }, { labels: { a: "b" } }],
    [
      { shmsize: "1000", cgroupparent: "/x" },
      { shmSizeBytes: 1000, cgroupParent: "/x" },
    ],
    [
      { ulimits: '[{"Name":"nofile","Soft":1,"Hard":2}]' },
      { ulimits: [{ name: "nofile", soft: 1, hard: 2 }] },
    ],
    [{ extrahosts: "db:192.0.2.1" }, { extraHosts: ["192.0.2.1\tdb"] }],
    [
      { extrahosts: '["db:192.0.2.1","x:192.0.2.2"]' },
      { extraHosts: ["192.0.2.1\tdb", "192.0.2.2\tx"] },
    ],
    [{ networkmode: "container:web" }, { networkMode: `container:${ID}` }],
    [{ networkmode: "host" }, { networkMode: "host" }],
    [{ remote: "https://a/b.git#c" }, { remote: "https://a/b.git#c" }],
    [
      { platform: "linux/arm64" },
      { platform: { os: "linux", architecture: "arm64", variant: "" } },
    ],
  ];
  for (const [query, settings] of CASES)
    it(`read ${JSON.stringify(query)}`, () => expect(read(query)).to.deep.include(settings));

  const REFUSED: readonly (readonly [query: Record<string, string>, message: string])[] = [
    [{ version: "2" }, "set DOCKER_BUILDKIT=0"],
    [{ version: "3" }, 'invalid version "3"'],
    [{ remote: "client-session" }, "set DOCKER_BUILDKIT=0"],
    [{ squash: "1" }, "squash is only supported with experimental mode"],
    [{ securityopt: "x" }, "does not support setting security options on build"],
    [{ outputs: '[{"Type":"local"}]' }, "set DOCKER_BUILDKIT=0"],
    [{ cachefrom: '["x", 1]' }, "must be"],
    [{ isolation: "hyperv" }, 'unsupported isolation: "hyperv"'],
    [{ memory: "many" }, 'invalid value "many" for memory: must be a whole number'],
    [{ buildargs: "{" }, "error reading build args: not JSON"],
    [{ buildargs: '{"A":1}' }, "buildargs.A must be"],
    [{ buildargs: "[]" }, "buildargs must be"],
    [{ labels: '{"a":1}' }, "must be"],
    [{ ulimits: "{}" }, "must be"],
    [{ extrahosts: "db" }, "bad format for add-host"],
    [{ platform: "a/b/c/d" }, "cannot parse platform specifier"],
    [{ shmsize: "9007199254740993" }, "must be a whole number"],
  ];
  for (const [query, message] of REFUSED)
    it(`refuse ${JSON.stringify(query)}`, () => expect(() => read(query)).to.throw(message));

  it("tell arguments that are given from those that are only named", () => {
    const { args } = read({ buildargs: '{"A":"b","C":null,"__proto__":"x"}' });
    expect([...args]).to.deep.equal([
      ["A", "b"],
      ["C", undefined],
      ["__proto__", "x"],
    ]);
  });
  it("have limits as containers have", () => {
    const { limits } = read({
      memory: "100",
      memswap: "-1",
      cpushares: "5",
      cpuquota: "6",
      cpuperiod: "7",
      cpusetcpus: "0",
    });
    expect(limits).to.deep.include({
      ...{ memoryBytes: 100, memorySwapBytes: -1, cpuShares: 5, cpuQuotaUs: 6, cpuPeriodUs: 7 },
      cpusetCpus: "0",
    });
  });
  it("know logins by registry, Docker Hub's too", () => {
    const config = {
      "https://index.docker.io/v1/": { username: "a" },
      "r:5000": { username: "b" },
    };
    const { registryAuths } = read({}, Buffer.from(JSON.stringify(config)).toString("base64url"));
    expect([...registryAuths.keys()]).to.deep.equal(["docker.io", "r:5000"]);
    expect(read({}, "%%").registryAuths.size).to.equal(0);
  });
  it("take no platform from clients that know of none", () => {
    expect(read({ platform: "linux/arm64" }, "", 31).platform).to.equal(undefined);
  });
  it("are told in Docker's lines", () => {
    expect(writeBuildOutput({ kind: "text", text: "x\n", isError: false }, 41)).to.deep.equal({
      stream: "x\n",
    });
    expect(writeBuildOutput({ kind: "text", text: "x", isError: true }, 41)).to.deep.equal({
      stream: "\u001b[91mx\u001b[0m",
    });
    expect(writeBuildOutput({ kind: "image", id: "i" }, 30)).to.deep.equal({ aux: { ID: "i" } });
    expect(writeBuildOutput({ kind: "image", id: "i" }, 29)).to.equal(undefined);
    expect(writeBuildError("m", 3)).to.deep.equal({
      errorDetail: { code: 3, message: "m" },
      error: "m",
    });
    expect(writeBuildError("m", undefined)).to.deep.equal({
      errorDetail: { message: "m" },
      error: "m",
    });
  });
});
