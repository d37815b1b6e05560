import { expect } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import { fileNameOf, isUrl, parseRemote } from "./remote-url.ts";

describe("build: remote contexts", () => {
  const git = (url: string, ref = "", folder = "") => ({ kind: "git", url, ref, folder });
  const cases: readonly { readonly input: string; readonly expected: object | string }[] = [
    { input: "http://h/ctx.tar.gz", expected: { kind: "url", url: "http://h/ctx.tar.gz" } },
    { input: "https://h/Dockerfile#x", expected: { kind: "url", url: "https://h/Dockerfile#x" } },
    { input: "https://h/r.git", expected: git("https://h/r.git") },
    { input: "https://h/r.git#main:sub/dir", expected: git("https://h/r.git", "main", "sub/dir") },
    { input: "git://h/r#:sub", expected: git("git://h/r", "", "sub") },
    { input: "github.com/a/b#v1.0", expected: git("https://github.com/a/b", "v1.0") },
    { input: "https://h/r.git#-x", expected: "invalid refspec: -x" },
    { input: "https://h/r.git#--upload-pack=x", expected: "invalid refspec" },
    { input: "https://h/r.git#a..b", expected: "invalid refspec" },
    { input: "https://h/r.git#+a", expected: "invalid refspec" },
    { input: "https://h/r.git#a:../../etc", expected: "invalid folder" },
    { input: "git@h:a/b.git", expected: "cannot clone by ssh" },
    { input: "git://--upload-pack=x", expected: "could not be recognized as URL" },
    { input: "ext::sh -c x", expected: "remoteURL (ext::sh -c x) could not be recognized as URL" },
    { input: "file:///etc/.git", expected: "could not be recognized as URL" },
    { input: "http://h/a b.git", expected: "could not be recognized as URL" },
    { input: "http://", expected: "could not be recognized as URL" },
  ];
  for (const { input, expected } of cases)
    it(`are told apart: ${input}`, () => {
      if (typeof expected === "string")
        expect(() => parseRemote(input)).to.throw(ClusterError, expected);
      else expect(parseRemote(input)).to.deep.equal(expected);
    });

  it("and sources of ADD are told from paths, as Docker does", () => {
    const texts = ["http://a/b", "https://a", "ftp://a", "http:/a", "a/http://b"];
    expect(texts.map(isUrl)).to.deep.equal([true, true, false, false, false]);
  });

  const names: readonly (readonly [url: string, disposition: string, name: string | undefined])[] =
    [
      ["http://h/a/b.txt?x=/c", "", "b.txt"],
      ["http://h/a%20b", "", "a b"],
      ["http://h/a%2f..%2fb", "", "b"],
      ["http://h/a%2f..", 'attachment; filename="c.txt"', "c.txt"],
      ["http://h/%ff", "", "%ff"],
      ["http://h/", "attachment; filename=../x.tar; size=1", "x.tar"],
      ["http://h/", 'inline; filename=".."', undefined],
      ["http://h", "", undefined],
    ];
  for (const [url, disposition, name] of names)
    it(`are files of a name: ${url} ${disposition}`, () => {
      expect(fileNameOf(new URL(url), disposition)).to.equal(name);
    });
});
