import { expect } from "chai";
import { parseFilters } from "./filters.ts";

describe("filters", () => {
  const accepted = ["label", "name"];
  const cases: { name: string; input: string | null; expected: object }[] = [
    { name: "absent", input: null, expected: {} },
    { name: "empty", input: "", expected: {} },
    {
      name: "as Go sends them",
      input: '{"label":{"a=b":true,"c":true}}',
      expected: { label: ["a=b", "c"] },
    },
    { name: "as others send them", input: '{"name":["web"]}', expected: { name: ["web"] } },
    { name: "switched off", input: '{"name":{"web":false}}', expected: { name: [] } },
  ];
  for (const { name, input, expected } of cases) {
    it(`reads them ${name}`, () => {
      expect(parseFilters(input, accepted)).to.deep.equal(expected);
    });
  }

  for (const input of [
    '{"bogus":["1"]}',
    "{",
    "[]",
    "null",
    '{"name":"web"}',
    '{"name":[1]}',
    '{"__proto__":["a"]}',
  ]) {
    it(`refuses ${input}`, () => {
      expect(() => parseFilters(input, accepted)).to.throw("invalid filter");
    });
  }
});
