import { expect } from "chai";
import { expandLogTag } from "./log-tag.ts";

const FACTS = {
  ...{ id: "0123456789abcdef", name: "web", imageName: "nginx:1" },
  imageId: "sha256:fedcba9876543210",
};

describe("log tag", () => {
  const cases = [
    { tag: "", expected: "" },
    { tag: "plain { } text", expected: "plain { } text" },
    { tag: "{{.ID}}", expected: "0123456789ab" },
    { tag: "{{ .Name }}/{{.ID}}", expected: "web/0123456789ab" },
    { tag: "{{.ImageName}} {{.ImageID}}", expected: "nginx:1 fedcba987654" },
    { tag: "{{.FullID}} {{.ImageFullID}}", expected: "0123456789abcdef fedcba9876543210" },
    { tag: "{{.DaemonName}}", expected: "muster" },
  ];
  for (const { tag, expected } of cases)
    it(`${JSON.stringify(tag)} is ${JSON.stringify(expected)}`, () =>
      expect(expandLogTag(tag, FACTS)).to.equal(expected));

  for (const tag of ["{{.Colour}}", "{{.constructor}}", "{{", "{{if .ID}}", "x".repeat(2000)])
    it(`${JSON.stringify(tag.slice(0, 20))} is refused`, () =>
      expect(() => expandLogTag(tag, FACTS)).to.throw("invalid log tag"));
});
