import { expect } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import type { TarEntry, TarType } from "../../../core/tar/tar-reader.ts";
import { LayerPlanner, type LayerStep } from "./layer-plan.ts";

/** `directory a/`, `symlink a -> b`, `hardLink a => b`, `file a`. */
function entryOf(text: string): TarEntry {
  const [type = "", name = "", , linkName = ""] = text.split(" ");
  return {
    type: type as TarType,
    name,
    linkName,
    mode: 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    mtime: { seconds: 0, nanos: 0 },
    major: 0,
    minor: 0,
    xattrs: new Map(),
  };
}

function show(step: LayerStep): string {
  return `${step.kind} ${step.path}${step.kind === "link" ? ` => ${step.target}` : ""}`;
}

function planAll(entries: readonly string[]): string[] {
  const planner = new LayerPlanner();
  return entries.flatMap((entry) => planner.plan(entryOf(entry)).map(show));
}

describe("layer plan", () => {
  const allowed: { name: string; entries: string[]; steps: string[] }[] = [
    {
      name: "makes parents nobody announced",
      entries: ["file a/b/c"],
      steps: ["makeParent a", "makeParent a/b", "create a/b/c"],
    },
    {
      name: "sets the root's attributes",
      entries: ["directory ./"],
      steps: ["update "],
    },
    {
      name: "updates a directory that is there, replaces anything else",
      entries: ["directory d", "directory ./d/", "file d", "file d"],
      steps: ["create d", "update d", "remove d", "create d", "remove d", "create d"],
    },
    {
      name: "follows a relative link inside the layer",
      entries: ["directory usr/bin", "symlink bin -> usr/bin", "file bin/sh"],
      steps: ["makeParent usr", "create usr/bin", "create bin", "create usr/bin/sh"],
    },
    {
      name: "follows .. of a link while it stays inside",
      entries: ["symlink a/l -> ../b", "file a/l/x"],
      steps: ["makeParent a", "create a/l", "makeParent b", "create b/x"],
    },
    {
      name: "does not follow a link that is replaced",
      entries: ["symlink l -> /etc/passwd", "file l"],
      steps: ["create l", "remove l", "create l"],
    },
    {
      name: "links to a file of the layer",
      entries: ["file a/x", "hardLink y => ./a/x"],
      steps: ["makeParent a", "create a/x", "link y => a/x"],
    },
    {
      name: "links to a symbolic link itself",
      entries: ["symlink l -> /etc/shadow", "hardLink y => l"],
      steps: ["create l", "link y => l"],
    },
    {
      name: "hides a lower file",
      entries: ["file a/.wh.x"],
      steps: ["makeParent a", "whiteout a/x"],
    },
    {
      name: "makes a directory opaque",
      entries: ["directory a", "file a/.wh..wh..opq", "file .wh..wh..opq"],
      steps: ["create a", "opaque a", "opaque "],
    },
    {
      name: "leaves AUFS's own names out",
      entries: ["file .wh..wh.aufs", "directory .wh..wh.plnk"],
      steps: [],
    },
    {
      name: "hides below what the layer itself has, in either order",
      entries: ["directory d", "file .wh.d", "file .wh.e", "directory e", "file f", "file .wh.f"],
      steps: ["create d", "opaque d", "whiteout e", "remove e", "create e", "opaque e", "create f"],
    },
    {
      name: "puts a directory over a whiteout when something comes into it",
      entries: ["file .wh.d", "file d/x"],
      steps: ["whiteout d", "remove d", "makeParent d", "opaque d", "create d/x"],
    },
  ];
  for (const { name, entries, steps } of allowed) {
    it(name, () => expect(planAll(entries)).to.deep.equal(steps));
  }

  const refusedLayers: { name: string; entries: string[]; reason: RegExp }[] = [
    { name: "..", entries: ["file ../evil"], reason: /has \.\./ },
    { name: ".. inside", entries: ["file a/../../evil"], reason: /has \.\./ },
    { name: "an absolute path", entries: ["file /etc/passwd"], reason: /absolute path/ },
    {
      name: "a path through an absolute link",
      entries: ["symlink l -> /etc", "file l/passwd"],
      reason: /absolute/,
    },
    {
      name: "a path through a link that leads out",
      entries: ["directory a", "symlink a/l -> ../../etc", "file a/l/passwd"],
      reason: /leads out/,
    },
    {
      name: "a path through two links that lead out together",
      entries: ["symlink a -> .", "symlink b -> a/..", "file b/x"],
      reason: /leads out/,
    },
    {
      name: "a path through a loop",
      entries: ["symlink a -> b", "symlink b -> a", "file a/x"],
      reason: /too many symbolic links/,
    },
    {
      name: "a path through a hard-linked link that leads out",
      entries: ["symlink l -> ..", "hardLink m => l", "file m/x"],
      reason: /leads out/,
    },
    {
      name: "a path through a file",
      entries: ["file a", "file a/b"],
      reason: /not a directory/,
    },
    {
      name: "a hard link out of the layer",
      entries: ["hardLink x => ../../etc/shadow"],
      reason: /has \.\./,
    },
    { name: "an absolute hard link", entries: ["hardLink x => /etc/shadow"], reason: /absolute/ },
    {
      name: "a hard link through a link that is absolute",
      entries: ["symlink l -> /etc", "hardLink x => l/shadow"],
      reason: /absolute/,
    },
    {
      name: "a hard link to what is not there",
      entries: ["hardLink x => y"],
      reason: /not in the layer/,
    },
    {
      name: "a hard link to a directory",
      entries: ["directory d", "hardLink x => d"],
      reason: /not in the layer/,
    },
    {
      name: "a hard link to a whiteout",
      entries: ["file .wh.d", "hardLink x => d"],
      reason: /not in the layer/,
    },
    {
      name: "a hard link to itself",
      entries: ["file x", "hardLink x => x"],
      reason: /to itself/,
    },
    { name: "a whiteout of ..", entries: ["file a/.wh..."], reason: /whiteout of no file/ },
    { name: "a whiteout of nothing", entries: ["file .wh."], reason: /whiteout of no file/ },
    { name: "a root that is a file", entries: ["file ."], reason: /root must be a directory/ },
    { name: "a NUL", entries: ["file a\0b"], reason: /NUL/ },
    { name: "a name too long", entries: [`file ${"n".repeat(256)}`], reason: /longer than 255/ },
    { name: "a path too long", entries: [`file ${"n/".repeat(2100)}n`], reason: /too long/ },
  ];
  for (const { name, entries, reason } of refusedLayers) {
    it(`refuses ${name}`, () => {
      expect(() => planAll(entries))
        .to.throw(ClusterError, reason)
        .with.property("code", "InvalidArgument");
    });
  }
});
