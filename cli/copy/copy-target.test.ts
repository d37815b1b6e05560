import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { baseOf, type Kind, parentOf, parseCopyTarget, planCopy, renamed } from "./copy-target.ts";

describe("cli: what cp copies where", () => {
  const TARGETS = [
    { text: "-", target: { kind: "stream" } },
    { text: "web:/etc/x", target: { kind: "container", ref: "web", path: "/etc/x" } },
    { text: "./web:x", target: { kind: "local", path: "./web:x" } },
    { text: "/a:b", target: { kind: "local", path: "/a:b" } },
    { text: "file", target: { kind: "local", path: "file" } },
  ];
  for (const { text, target } of TARGETS)
    it(`${text} is ${target.kind}`, () => expect(parseCopyTarget(text)).to.deep.equal(target));

  for (const text of ["web:", ":/x", ":"])
    it(`refuses ${text}`, () => expect(() => parseCopyTarget(text)).to.throw(ClusterError, text));

  const PLANS: {
    readonly from: [string, Kind];
    readonly to: [string, Kind];
    readonly plan: string | RegExp;
  }[] = [
    { from: ["a/f", "file"], to: ["/tmp", "directory"], plan: "/tmp as it is" },
    { from: ["a/f", "file"], to: ["/tmp/g", "file"], plan: "/tmp as g" },
    { from: ["a/f", "file"], to: ["/tmp/g", "nothing"], plan: "/tmp as g" },
    { from: ["a/f", "file"], to: ["g", "nothing"], plan: ". as g" },
    { from: ["a/f", "file"], to: ["/g", "nothing"], plan: "/ as g" },
    { from: ["a/f", "file"], to: ["/tmp/g/", "nothing"], plan: /no such directory/ },
    { from: ["a/d", "directory"], to: ["/tmp", "directory"], plan: "/tmp as it is" },
    { from: ["a/d", "directory"], to: ["/tmp/e/", "nothing"], plan: "/tmp as e" },
    { from: ["a/d/.", "directory"], to: ["/tmp/e", "nothing"], plan: "/tmp as e" },
    { from: ["a/d", "directory"], to: ["/tmp/g", "file"], plan: /it is a file/ },
  ];
  for (const { from, to, plan } of PLANS)
    it(`${from[0]} to ${to[0]}, ${to[1]}: ${plan}`, () => {
      const work = () => planCopy({ path: from[0], kind: from[1] }, { path: to[0], kind: to[1] });
      if (typeof plan !== "string") expect(work).to.throw(ClusterError, plan);
      else expect(`${work().directory} as ${work().name ?? "it is"}`).to.equal(plan);
    });

  it("names and parents", () => {
    expect(["/a/b", "/a/b/", "b", "a/.", "/"].map(baseOf)).to.deep.equal(["b", "b", "b", ".", ""]);
    expect(["/a/b", "/a/b/", "/a/b/.", "b", "/b", "/"].map(parentOf)).to.deep.equal([
      ...["/a", "/a", "/a", ".", "/", "."],
    ]);
  });

  it("the first part of a name becomes another", () => {
    expect(renamed("d/x", "d", "e")).to.equal("e/x");
    expect(renamed("d", "d", "e")).to.equal("e");
    expect(renamed("./x", ".", "e")).to.equal("e/x");
    expect(renamed("./", ".", "e")).to.equal("e/");
    expect(renamed("/x", "", "e")).to.equal("e/x");
    expect(renamed("d/x", "d", undefined)).to.equal("d/x");
  });
});
