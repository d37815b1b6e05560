import { expect } from "chai";
import type { ImageFacts } from "../backends/images.ts";
import { filterImages, prunes } from "./image-filter.ts";

const DIGEST = `@sha256:${"0".repeat(64)}`;

function image(id: string, createdAtMs: number, more: Partial<ImageFacts> = {}): ImageFacts {
  return {
    ...{ id, createdAtMs, repoTags: [], repoDigests: [], sizeBytes: 0, labels: {}, layers: [] },
    ...{ containers: 0, platform: { os: "linux", architecture: "amd64", variant: "" } },
    parentId: "",
    hasChildren: false,
    rawConfig: "{}",
    ...more,
  };
}

const ALL = [
  image("old", 1000, { repoTags: ["busybox:1", "r:5000/team/box:1"], labels: { a: "1" } }),
  image("mid", 2000, { repoDigests: [`web${DIGEST}`], labels: { a: "2", b: "" } }),
  image("new", 3000, { repoTags: ["web:latest"], repoDigests: [`web${DIGEST}`] }),
  image("none", 4000),
];

const find = (ref: string): ImageFacts => {
  const found = ALL.find(({ id }) => id === ref);
  if (found === undefined) throw new Error(`No such image: ${ref}`);
  return found;
};
const list = (filters: Record<string, string[]>) => filterImages(ALL, filters, find, 10_000);
const ids = (filters: Record<string, string[]>) => list(filters).map(({ id }) => id);

describe("image filters", () => {
  const cases: { filters: Record<string, string[]>; expected: string[] }[] = [
    { filters: {}, expected: ["old", "mid", "new", "none"] },
    { filters: { before: ["new"] }, expected: ["old", "mid"] },
    { filters: { since: ["mid"] }, expected: ["new", "none"] },
    { filters: { since: ["old"], before: ["none"] }, expected: ["mid", "new"] },
    { filters: { until: ["7s"] }, expected: ["old", "mid"] },
    { filters: { dangling: ["true"] }, expected: ["mid", "none"] },
    { filters: { dangling: ["0"] }, expected: ["old", "mid", "new"] },
    { filters: { label: ["a"] }, expected: ["old", "mid"] },
    { filters: { label: ["a=2", "b"] }, expected: ["mid"] },
    { filters: { label: ["toString"] }, expected: [] },
    { filters: { reference: ["web"] }, expected: ["mid", "new"] },
    { filters: { reference: ["*box"] }, expected: ["old"] },
    { filters: { reference: ["r:5000/*/*:1"] }, expected: ["old"] },
    { filters: { reference: ["web:l*", "busybox"] }, expected: ["old", "new"] },
  ];
  for (const { filters, expected } of cases) {
    it(`list ${JSON.stringify(filters)}`, () => expect(ids(filters)).to.deep.equal(expected));
  }

  it("show only the names that fit", () => {
    const [found] = list({ reference: ["busybox"] });
    expect(found?.repoTags).to.deep.equal(["busybox:1"]);
  });

  const refused: Record<string, string[]>[] = [
    { dangling: ["maybe"] },
    { dangling: ["true", "false"] },
    { before: ["nobody"] },
    { until: ["soon"] },
    { reference: ["["] },
  ];
  for (const filters of refused) {
    it(`refuse ${JSON.stringify(filters)}`, () => expect(() => ids(filters)).to.throw());
  }

  const pruned: { filters: Record<string, string[]>; expected: string[] }[] = [
    { filters: {}, expected: ["mid", "none"] },
    { filters: { dangling: ["false"] }, expected: ["old", "mid", "new", "none"] },
    { filters: { dangling: ["0"], until: ["7500ms"] }, expected: ["old", "mid"] },
    { filters: { dangling: ["0"], "label!": ["a=1"] }, expected: ["mid", "new", "none"] },
    { filters: { dangling: ["0"], label: ["a"], "label!": ["b"] }, expected: ["old"] },
  ];
  for (const { filters, expected } of pruned) {
    it(`prune ${JSON.stringify(filters)}`, () => {
      expect(ALL.filter(prunes(filters, 10_000)).map(({ id }) => id)).to.deep.equal(expected);
    });
  }
});
