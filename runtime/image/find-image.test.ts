import { expect } from "chai";
import { digestOfHex } from "./digest.ts";
import { findImage } from "./find-image.ts";

const ONE = digestOfHex(`abc1${"0".repeat(60)}`);
const TWO = digestOfHex(`abc2${"0".repeat(60)}`);
const DIGEST = digestOfHex("d".repeat(64));
const NAMES = new Map([
  ["docker.io/library/web:latest", ONE],
  ["docker.io/library/abc2:latest", ONE],
  [`docker.io/library/web@${DIGEST}`, TWO],
]);
const images = { ids: [ONE, TWO], findIdByName: (name: string) => NAMES.get(name) };

describe("finding an image", () => {
  const cases = [
    { text: "web", id: ONE },
    { text: `web:other@${DIGEST}`, id: TWO },
    { text: ONE, id: ONE },
    { text: ONE.slice(7), id: ONE },
    { text: "abc1", id: ONE },
    { text: "sha256:abc2", id: TWO },
    { text: "abc2", id: ONE },
    { text: "abd", id: undefined },
    { text: "web:none", id: undefined },
    { text: DIGEST, id: undefined },
  ];
  for (const { text, id } of cases) {
    it(`finds ${id === undefined ? "nothing" : id.slice(7, 11)} by ${text.slice(0, 30)}`, () => {
      expect(findImage(images, text)?.id).to.equal(id);
    });
  }
  it("refuses the beginning of several ids", () => {
    expect(() => findImage(images, "abc"))
      .to.throw(/several/)
      .with.property("code", "InvalidArgument");
  });
  it("refuses what is neither name nor id", () => {
    expect(() => findImage(images, "a b"))
      .to.throw()
      .with.property("code", "InvalidArgument");
  });
});
