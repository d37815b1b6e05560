import { expect } from "chai";
import { contextKindOf } from "./content-kind.ts";

describe("build: what is fetched as a context", () => {
  const TEXT = "FROM a\r\n\tRUN é";
  const cases: readonly (readonly [type: string, head: string, kind: string | undefined])[] = [
    ["text/plain; charset=utf-8", TEXT, "text"],
    ["", TEXT, "text"],
    ["application/octet-stream", TEXT, "text"],
    ["application/octet-stream", "\x1f\x8b\x08\0", "archive"],
    ["", "name\0\0\0", "archive"],
    ["application/x-tar", TEXT, "archive"],
    ["application/gzip", "\x1f\x8b", "archive"],
    ["application/x-xz", "\xfd7zXZ\0", "archive"],
    ["text/html; charset=utf-8", "<html>", undefined],
    ["text/plain", "", undefined],
  ];
  for (const [type, head, kind] of cases)
    it(`is ${kind}: ${JSON.stringify(type)}, ${JSON.stringify(head)}`, () => {
      expect(contextKindOf(type, Buffer.from(head))).to.equal(kind);
    });
});
