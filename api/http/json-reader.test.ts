import { expect } from "chai";
import { JsonReader } from "./json-reader.ts";

const read = (value: unknown) => new JsonReader(value, "Spec");

describe("json reader: as forgiving as Go", () => {
  it("matches names whatever their case", () => {
    expect(read({ nAmE: "web" }).string("Name")).to.equal("web");
  });

  it("takes null for absent", () => {
    const json = read({ Name: null, Env: null, Labels: null, Mode: null });
    expect(json.string("Name")).to.equal("");
    expect(json.strings("Env")).to.deep.equal([]);
    expect(json.stringMap("Labels")).to.deep.equal({});
    expect(json.optionalObject("Mode", () => 1)).to.equal(undefined);
  });

  it("keeps a key named __proto__ as data", () => {
    const labels = read(JSON.parse('{"Labels":{"__proto__":"x"}}')).stringMap("Labels");
    expect(Object.keys(labels)).to.deep.equal(["__proto__"]);
    expect(({} as Record<string, unknown>).x).to.equal(undefined);
  });
});

describe("json reader: as strict as Go", () => {
  const cases: { name: string; act: () => unknown; message: string }[] = [
    { name: "a list for an object", act: () => read([]), message: "Spec must be an object" },
    {
      name: "a number for a string",
      act: () => read({ A: 1 }).string("A"),
      message: "Spec.A must be a string",
    },
    {
      name: "a fraction",
      act: () => read({ A: 1.5 }).count("A"),
      message: "Spec.A must be a whole number",
    },
    {
      name: "a negative count",
      act: () => read({ A: -1 }).count("A"),
      message: "Spec.A must be a whole number of 0 or more",
    },
    {
      name: "2^53",
      act: () => read({ A: 2 ** 53 }).integer("A"),
      message: "Spec.A must be a whole number",
    },
    {
      name: "an unknown word",
      act: () => read({ A: "x" }).choice("A", { y: 1 }, 0),
      message: "Spec.A must be one of y",
    },
    {
      name: "a constructor for a word",
      act: () => read({ A: "constructor" }).choice("A", { y: 1 }, 0),
      message: "must be one of y",
    },
    {
      name: "a wrong item",
      act: () => read({ A: ["b", 2] }).strings("A"),
      message: "Spec.A[1] must be a string",
    },
    {
      name: "a field we would drop",
      act: () => read({ Secrets: [{}] }).refuse("Secrets"),
      message: "Spec.Secrets is not supported",
    },
  ];
  for (const { name, act, message } of cases) {
    it(`refuses ${name}`, () => {
      expect(act).to.throw(message);
    });
  }

  it("lets an empty field pass that it would refuse when set", () => {
    expect(() =>
      read({ Secrets: [], Privileges: {}, Other: 0 }).refuse("Secrets", "Privileges", "Other"),
    ).not.to.throw();
  });
});
