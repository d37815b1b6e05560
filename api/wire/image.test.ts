import { expect } from "chai";
import type { ImageFacts } from "../backends/images.ts";
import { layersSize, sharedSizes, writeHistory, writeImage, writeImageSummary } from "./image.ts";
import { isBareName, withTag } from "./image-name.ts";
import { isPlatform, parsePlatform, readPlatformJson } from "./platform.ts";

const CONFIG = {
  created: "2024-01-02T03:04:05Z",
  author: "me",
  config: { Cmd: ["sh"], Env: ["A=b"], Labels: { c: "d" }, ExposedPorts: { "80/tcp": {} } },
  history: [
    { created: "2024-01-01T00:00:00Z", created_by: "ADD rootfs" },
    { created: "2024-01-02T03:04:05Z", created_by: "CMD sh", empty_layer: true, comment: "why" },
  ],
};

const IMAGE: ImageFacts = {
  id: "sha256:1",
  repoTags: ["web:1"],
  repoDigests: [],
  createdAtMs: Date.parse(CONFIG.created),
  sizeBytes: 30,
  labels: { c: "d" },
  layers: [{ digest: "sha256:a", sizeBytes: 30 }],
  containers: 2,
  platform: { os: "linux", architecture: "arm", variant: "v7" },
  parentId: "",
  hasChildren: false,
  rawConfig: JSON.stringify(CONFIG),
};

describe("images on the wire", () => {
  it("in a list have what their client's version reads", () => {
    const nameless = { ...IMAGE, repoTags: [] };
    const old = writeImageSummary(nameless, { apiMinor: 41 });
    expect(old).to.include({ VirtualSize: 30, SharedSize: -1, Containers: -1 });
    expect(old.RepoTags).to.deep.equal(["<none>:<none>"]);
    const newest = writeImageSummary(nameless, {
      apiMinor: 51,
      sharedBytes: 7,
      withContainers: true,
    });
    expect(newest).to.include({ SharedSize: 7, Containers: 2 });
    expect(newest).to.not.have.property("VirtualSize");
    expect(newest.RepoTags).to.deep.equal([]);
  });

  it("inspected show their configuration", () => {
    const shown = writeImage(IMAGE, 51);
    expect(shown).to.include({
      Created: CONFIG.created,
      Author: "me",
      Comment: "why",
      Variant: "v7",
    });
    expect(shown.Config).to.deep.equal({
      ...{ User: "", ExposedPorts: { "80/tcp": {} }, Env: ["A=b"], Cmd: ["sh"] },
      ...{ WorkingDir: "", Entrypoint: null, Labels: { c: "d" }, Volumes: null, OnBuild: null },
    });
    expect(shown).to.not.have.any.keys("Container", "ContainerConfig");
    expect(writeImage(IMAGE, 49).Config).to.deep.include({ Hostname: "", Tty: false, User: "" });
    const oldest = writeImage(IMAGE, 44);
    expect(oldest).to.deep.include({ Container: "" });
    expect(oldest.ContainerConfig).to.deep.include({ Image: "", Env: [], Cmd: null });
    expect(shown.RootFS).to.deep.equal({ Type: "layers", Layers: ["sha256:a"] });
  });

  it("tell their history backwards, each layer at its step", () => {
    const rows = writeHistory(IMAGE);
    expect(rows.map(({ Id, Size }) => [Id, Size])).to.deep.equal([
      ["sha256:1", 0],
      ["<missing>", 30],
    ]);
    expect(rows[0]).to.deep.include({ Tags: ["web:1"], CreatedBy: "CMD sh", Comment: "why" });
    expect(writeHistory({ ...IMAGE, rawConfig: "{}" })).to.have.lengthOf(1);
  });

  it("share what other images have too", () => {
    const layers = [...IMAGE.layers, { digest: "sha256:b", sizeBytes: 5 }];
    const both = [IMAGE, { ...IMAGE, id: "sha256:2", layers }];
    expect([...sharedSizes(both).values()]).to.deep.equal([30, 30]);
    expect(sharedSizes([IMAGE]).get("sha256:1")).to.equal(0);
    expect(layersSize(both)).to.equal(35);
  });
});

describe("names and tags of queries", () => {
  const cases: [string, string, string][] = [
    ["busybox", "latest", "busybox:latest"],
    ["r:5000/a/b", "v1", "r:5000/a/b:v1"],
    ["busybox:1", "2", "busybox:2"],
    ["busybox:1", "", "busybox:1"],
    ["busybox:1", "sha256:ab", "busybox@sha256:ab"],
    ["busybox@sha256:ab", "2", "busybox:2"],
  ];
  for (const [name, tag, expected] of cases) {
    it(`${name} with "${tag}" is ${expected}`, () => expect(withTag(name, tag)).to.equal(expected));
  }
  it("tell a repository from an image", () => {
    expect(["a", "r:5000/a", "a:1", "r:5000/a:1", "a@sha256:x"].map(isBareName)).to.deep.equal([
      ...[true, true, false, false, false],
    ]);
  });
});

describe("platforms of queries", () => {
  const read = (text: string) => Object.values(parsePlatform(text) ?? {}).join(" ");
  const cases: [string, string][] = [
    ["", ""],
    ["linux/amd64", "linux amd64 "],
    ["linux/arm64/v8", "linux arm64 v8"],
    ["aarch64", "linux arm64 "],
    ["armhf", "linux arm v7"],
    ["Windows", "windows  "],
  ];
  for (const [text, expected] of cases) {
    it(`read "${text}"`, () => expect(read(text)).to.equal(expected));
  }
  for (const text of ["/", "a/b/c/d", "linux/", "lin ux/amd64", "linux/*"]) {
    it(`refuse "${text}"`, () => expect(() => read(text)).to.throw("invalid argument"));
  }
  it("fit what an image is for", () => {
    const wanted = readPlatformJson('{"os":"linux","architecture":"arm"}');
    expect(wanted && isPlatform(IMAGE.platform, wanted)).to.equal(true);
    expect(
      isPlatform(IMAGE.platform, { os: "linux", architecture: "arm", variant: "v6" }),
    ).to.equal(false);
    expect(() => readPlatformJson("[1]")).to.throw("failed to parse platform");
  });
});
