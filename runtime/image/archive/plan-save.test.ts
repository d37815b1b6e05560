import { expect } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import { digestOfHex } from "../digest.ts";
import { type FoundImage, findImage } from "../find-image.ts";
import type { StoredImage } from "../image-catalog.ts";
import { familiarReference } from "../reference.ts";
import type { Digest } from "../types.ts";
import { planSave } from "./plan-save.ts";

const [ONE, TWO] = ["1", "2"].map((digit) => digestOfHex(digit.repeat(64))) as [Digest, Digest];
const WEB = "docker.io/library/web";
const NAMES = new Map<string, Digest>([
  [`${WEB}:1`, ONE],
  [`${WEB}:2`, TWO],
  [`${WEB}@sha256:${"a".repeat(64)}`, ONE],
  ["r:5000/team/box:latest", TWO],
]);
const SOURCE = {
  ids: [ONE, TWO],
  findIdByName: (name: string) => NAMES.get(name),
  namesOf: (id: Digest) => [...NAMES].filter(([, one]) => one === id).map(([name]) => name),
  getStored: (id: Digest) => ({ rawConfig: String(id) }) as unknown as StoredImage,
};

function find(ref: string): FoundImage {
  const found = findImage(SOURCE, ref);
  if (found === undefined) throw new ClusterError("NotFound", `No such image: ${ref}`);
  return found;
}

const plan = (...refs: string[]) =>
  planSave(refs, SOURCE, find).map(({ stored, names }) => [
    stored.rawConfig.slice(7, 8),
    ...names.map(familiarReference),
  ]);

describe("what is saved", () => {
  const cases: { refs: string[]; expected: string[][] }[] = [
    { refs: ["web:1"], expected: [["1", "web:1"]] },
    {
      refs: ["web"],
      expected: [
        ["1", "web:1"],
        ["2", "web:2"],
      ],
    },
    { refs: ["web:1", "web:1", ONE], expected: [["1", "web:1"]] },
    { refs: [ONE], expected: [["1"]] },
    { refs: ["2222"], expected: [["2"]] },
    { refs: [`web@sha256:${"a".repeat(64)}`], expected: [["1"]] },
    { refs: ["r:5000/team/box", "web:2"], expected: [["2", "r:5000/team/box:latest", "web:2"]] },
  ];
  for (const { refs, expected } of cases) {
    it(`by ${refs.join(" ").slice(0, 60)}`, () => expect(plan(...refs)).to.deep.equal(expected));
  }
  it("is all or nothing", () => expect(() => plan("web", "none")).to.throw("No such image: none"));
});
