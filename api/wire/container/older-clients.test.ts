import { expect } from "chai";
import { JsonReader } from "../../http/json-reader.ts";
import { readContainerCreate } from "./create.ts";
import { readMounts } from "./mounts.ts";

/** All that some client is too old for. */
const BODY = {
  Image: "web",
  Healthcheck: { Test: ["CMD", "x"], StartInterval: 5e9 },
  HostConfig: {
    Annotations: { a: "b" },
    ConsoleSize: [24, 80],
    Binds: ["/src:/dst:ro"],
    Mounts: [
      {
        Type: "bind",
        Source: "/a",
        Target: "/b",
        BindOptions: { CreateMountpoint: true, NonRecursive: true },
      },
    ],
  },
};

const NOTHING_THERE = {
  resolve: (ref: string) => ref,
  nameOf: (ref: string) => ref,
  mountsOf: () => [],
  runtimes: ["runc"],
  hasApparmor: false,
  nameOfNetwork: (ref: string) => ref,
};

/** What differs by the version a client speaks. */
function meantBy(apiMinor: number) {
  const { settings } = readContainerCreate(BODY, "one", { ...NOTHING_THERE, apiMinor });
  const [short, long] = settings.mounts;
  return {
    ipc: settings.namespaces.ipc,
    nonRecursive: long?.nonRecursive,
    createSource: long?.createSource,
    console: settings.client.ConsoleSize !== undefined,
    annotations: Object.keys(settings.annotations).length,
    startIntervalMs: settings.health?.startIntervalMs,
    depth: short?.readOnlyDepth,
  };
}

describe("wire: a new container of an older client", () => {
  const all = {
    ipc: "",
    nonRecursive: true,
    createSource: true,
    console: true,
    annotations: 1,
    startIntervalMs: 5000,
    depth: undefined,
  };
  const before44 = { ...all, startIntervalMs: 0, depth: "top" };
  const before43 = { ...before44, annotations: 0 };
  const before42 = { ...before43, createSource: false, console: false };
  for (const [minor, expected] of [
    [51, all],
    [44, all],
    [43, before44],
    [42, before43],
    [41, before42],
    [30, { ...before42, ipc: "shareable", nonRecursive: false }],
  ] as const)
    it(`is what it meant with API 1.${minor}`, () =>
      expect(meantBy(minor)).to.deep.equal(expected));

  const mountOf = (mount: object, apiMinor: number) =>
    readMounts(
      new JsonReader({}, "Config"),
      new JsonReader({ Mounts: [{ Target: "/x", ...mount }] }, "HostConfig"),
      () => [],
      apiMinor,
    );
  it("is refused what must not be passed over", () => {
    const all = { Type: "bind", Source: "/a", ReadOnly: true };
    const forced = { ...all, BindOptions: { ReadOnlyForceRecursive: true } };
    expect(() => mountOf(forced, 43)).to.throw("needs API v1.44 or newer");
    expect(() => mountOf(forced, 44)).not.to.throw();
    const part = { Type: "volume", Source: "v", VolumeOptions: { Subpath: "a" } };
    expect(() => mountOf(part, 44)).to.throw("needs API v1.45 or newer");
    expect(() => mountOf(part, 45)).not.to.throw();
  });
});
