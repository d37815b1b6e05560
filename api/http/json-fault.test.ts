import { expect } from "chai";
import { findJsonFault } from "./json-fault.ts";

describe("json faults: in Go's words", () => {
  const cases: [string, string][] = [
    ["{invalid json", "invalid character 'i' looking for beginning of object key string"],
    ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{"a" "b"}', "invalid character '\"' after object key"],
    ['{"a":1 "b"}', "invalid character '\"' after object key:value pair"],
    ['{"a":NaN}', "invalid character 'N' looking for beginning of value"],
    ['{"a":01}', "invalid character '1' after object key:value pair"],
    ["[1 2]", "invalid character '2' after array element"],
    ["[1,]", "invalid character ']' looking for beginning of value"],
    ["tru}", "invalid character '}' in literal true (expecting 'e')"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u00g0"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ["\u0000", "invalid character '\\x00' looking for beginning of value"],
    ["-x", "invalid character 'x' in numeric literal"],
    ["1.x", "invalid character 'x' after decimal point in numeric literal"],
    ["1ex", "invalid character 'x' in exponent of numeric literal"],
    ['{"a":', "unexpected EOF"],
    ['"a', "unexpected EOF"],
    ["[".repeat(20_000), "exceeded max depth"],
  ];
  for (const [text, message] of cases) {
    it(`${JSON.stringify(text.slice(0, 20))}: ${message}`, () => {
      expect(() => JSON.parse(text)).to.throw(SyntaxError);
      expect(findJsonFault(text)).to.deep.equal({ kind: "syntax", message });
    });
  }
  for (const text of ["{} trailing", '{"a":[1,{"b":"\\u00e4"}]}}', "[] []", "null,", "-0.5e+3x"])
    it(`${text} has a value with something behind it`, () =>
      expect(findJsonFault(text)).to.deep.equal({ kind: "trailing" }));
});
