import { expect } from "chai";
import { imageRows } from "./ls.ts";

describe("image ls", () => {
  const image = { Id: "sha256:0123456789abcdef", Created: 0, Size: 1 };
  const names = (tags: string[] | null, digests: string[] | null) =>
    imageRows({ ...image, RepoTags: tags, RepoDigests: digests }, { trunc: true, nowMs: 1000 }).map(
      ({ Repository, Tag, Digest }) => [Repository, Tag, Digest],
    );

  it("has a row a name, with its digest", () =>
    expect(names(["host:5000/web:1", "b:2"], ["host:5000/web@sha256:a"])).to.deep.equal([
      ["host:5000/web", "1", "sha256:a"],
      ["b", "2", "<none>"],
    ]));

  it("has one of an image without a name, as daemons old and new tell of it", () => {
    for (const none of [[], null])
      expect(names(none, none)).to.deep.equal([["<none>", "<none>", "<none>"]]);
  });
});
