import { expect } from "chai";
import { toJsonLines, withoutLines } from "./json-lines.ts";

const TIME = "2026-01-02T03:04:05.000000006";

describe("log: lines of the json-file driver", () => {
  const cases: { name: string; line: string; says: string }[] = [
    {
      name: "a whole line gets its newline",
      line: `${TIME}+00:00 stdout F two words`,
      says: `{"log":"two words\\n","stream":"stdout","time":"${TIME}Z"}\n`,
    },
    {
      name: "a part of one does not",
      line: `${TIME}+00:00 stderr P abc`,
      says: `{"log":"abc","stream":"stderr","time":"${TIME}Z"}\n`,
    },
    {
      name: "an empty line is one",
      line: `${TIME}+00:00 stdout F `,
      says: `{"log":"\\n","stream":"stdout","time":"${TIME}Z"}\n`,
    },
    {
      name: "what JSON and Go escape is escaped",
      line: `${TIME}+02:00 stdout F "a\\b"\r\t<&>`,
      says: `{"log":"\\"a\\\\b\\"\\r\\t\\u003c\\u0026\\u003e\\n","stream":"stdout","time":"${TIME}+02:00"}\n`,
    },
    { name: "a torn one is left out", line: `${TIME} stdo`, says: "" },
  ];
  for (const { name, line, says } of cases)
    it(name, () => {
      const expected = { text: says, lines: says === "" ? 0 : 1 };
      expect(toJsonLines(`${line}\n`)).to.deep.equal(expected);
    });

  it("are as many as there are whole ones, in their order", () => {
    const text = ["a", "b", "c"].map((word) => `${TIME}+00:00 stdout F ${word}\n`).join("torn\n");
    const { text: json, lines } = toJsonLines(text);
    expect(lines).to.equal(3);
    const said = json.trim().split("\n");
    expect(said.map((line) => JSON.parse(line).log)).to.deep.equal(["a\n", "b\n", "c\n"]);
  });

  it("carry the attributes that were asked for", () => {
    const { text } = toJsonLines(`${TIME}+00:00 stdout F x\n`, new Map([["tag", "<t>"]]));
    expect(text).to.contain('"stream":"stdout","attrs":{"tag":"\\u003ct\\u003e"},"time"');
  });

  it("are left out from the beginning", () => {
    expect([0, 1, 2].map((count) => withoutLines("a\nb\n", count))).to.deep.equal([
      "a\nb\n",
      "b\n",
      "",
    ]);
  });
});
