import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import type { Context } from "../context.ts";
import { jsonLines } from "./json-lines.ts";
import { formatLine, showTransfer } from "./transfer.ts";

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

  it("fail with the daemon's words, and with the code of a command if one ended it", async () => {
    const context = { isTerminal: false, warn: () => {} } as unknown as Context;
    const failure = (detail: object) =>
      showTransfer(context, chunksOf(JSON.stringify({ errorDetail: detail }))).catch(
        (error: unknown) => error,
      );
    const plain = await failure({ message: "gone" });
    expect(plain).to.be.instanceOf(ClusterError).with.property("message", "gone");
    expect(plain).to.have.property("details").deep.equal({});
    const ended = await failure({ message: "returned 7", code: 7 });
    expect(ended).to.have.property("details").deep.equal({ exitCode: 7 });
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
