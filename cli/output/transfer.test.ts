import { expect } from "chai";
import { jsonLines } from "./json-lines.ts";
import { formatLine } from "./transfer.ts";

async function* chunksOf(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

describe("output: transfers", () => {
  it("are read line by line, wherever they are cut", async () => {
    const seen: unknown[] = [];
    const bytes = Buffer.from('{"a":"é"}\r\n{"b":1}\n\n{"c":2}');
    const cut = (async function* () {
      for (const byte of bytes) yield Uint8Array.of(byte);
    })();
    for await (const value of jsonLines(cut)) seen.push(value);
    expect(seen).to.deep.equal([{ a: "é" }, { b: 1 }, { c: 2 }]);
    const broken = jsonLines(chunksOf("{"));
    expect(await broken.next().catch((error: Error) => error.name)).to.equal("SyntaxError");
  });

  it("have bars on terminals only", () => {
    const detail = { current: 1, total: 2 };
    const line = { id: "abc", status: "Downloading", progress: "[=>]", progressDetail: detail };
    expect(formatLine(line, true)).to.equal("abc: Downloading [=>]");
    expect(formatLine(line, false)).to.equal(undefined);
    expect(formatLine({ status: "Digest: x" }, false)).to.equal("Digest: x");
    expect(formatLine({}, true)).to.equal(undefined);
  });
});
