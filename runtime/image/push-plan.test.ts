import { expect } from "chai";
import type { StoredImage } from "./image-catalog.ts";
import { mountSourcesOf, nothingToPush } from "./push-plan.ts";
import { parseReference } from "./reference.ts";
import type { Digest } from "./types.ts";

const digestOf = (char: string) => `sha256:${char.repeat(64)}` as Digest;
const [BASE, TOP] = [digestOf("a"), digestOf("b")];
const DIGEST = `@${digestOf("d")}`;

function source(
  images: readonly { readonly layers: readonly Digest[]; readonly names: string[] }[],
) {
  const ids = images.map((_, i) => digestOf(String(i)));
  const stored = images.map(({ layers }, i) => {
    const manifest = { config: { digest: ids[i] }, layers: layers.map((digest) => ({ digest })) };
    return { manifest } as unknown as StoredImage;
  });
  return { ids, stored, namesOf: (id: Digest) => images[ids.indexOf(id)]?.names ?? [] };
}

describe("what a push can do without sending", () => {
  const images = source([
    {
      layers: [BASE],
      names: [`r.test/base${DIGEST}`, "r.test/base:1", "docker.io/library/base:1"],
    },
    { layers: [BASE, TOP], names: [`r.test/team/app${DIGEST}`, `other.test/app${DIGEST}`] },
  ]);
  const cases: { target: string; expected: [Digest, string[]][] }[] = [
    {
      target: "r.test/new",
      expected: [
        [BASE, ["base", "team/app"]],
        [TOP, ["team/app"]],
      ],
    },
    {
      target: "r.test/base",
      expected: [
        [BASE, ["team/app"]],
        [TOP, ["team/app"]],
      ],
    },
    {
      target: "other.test/x",
      expected: [
        [BASE, ["app"]],
        [TOP, ["app"]],
      ],
    },
    {
      target: "busybox",
      expected: [
        [BASE, []],
        [TOP, []],
      ],
    },
  ];
  for (const { target, expected } of cases) {
    it(`to ${target}: layers of other repositories of its registry`, () => {
      expect([...mountSourcesOf(parseReference(target), images)]).to.deep.equal(expected);
    });
  }

  it("and a name that nothing has is told from a tag that nothing has", () => {
    const say = (name: string) => nothingToPush(parseReference(name), images).message;
    expect(say("r.test/base:2")).to.equal("tag does not exist: r.test/base:2");
    expect(say("r.test/nobody:2")).to.equal(
      "An image does not exist locally with the tag: r.test/nobody",
    );
  });
});
