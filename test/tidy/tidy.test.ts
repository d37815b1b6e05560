import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect } from "chai";

const ROOT = resolve(import.meta.dirname, "../..");

/** Which folders a folder may import from. The graph reads top to bottom and has no cycle. Source: DESIGN §2. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  core: [],
  proto: ["core"],
  "raft-ts": [],
  manager: ["core", "proto", "raft-ts"],
  runtime: ["core"],
  worker: ["core", "proto", "runtime"],
  api: ["core", "proto"],
  cli: ["core"],
  daemon: ["core", "proto", "raft-ts", "manager", "worker", "runtime", "api"],
};

/** Folders whose code decides and does nothing else. `loop.ts` is the shell of its component. */
const PURE = [
  "core",
  "raft-ts",
  "manager/orchestrator",
  "manager/scheduler",
  "manager/allocator",
  "manager/reaper",
  "manager/endpoints",
  "runtime/cgroup",
  "runtime/build/dockerfile",
  "runtime/build/plan",
  "runtime/network/plan",
];

/** The files of pure folders that are the door to the machine, each on purpose. */
const DOORS = ["core/log.ts", "core/system-clock.ts", "core/system-random.ts", "core/version.ts"];
const IMPURE =
  /from "node:|Date\.now|new Date\(\)|performance\.now|Math\.random|setTimeout|setInterval|process\.|\bawait /;

const FILE_LINES_MAX = 500;
const README_LINES_MAX = 60;
const ROOT_FILES = /^(\..*|.*\.json|.*\.ya?ml|README\.md|STYLE\.md|CHANGELOG\.md|LICENSE)$/;

interface SourceFile {
  /** From the root: "manager/store/store.ts". */
  readonly path: string;
  readonly text: string;
}

const isTest = (path: string) => path.endsWith(".test.ts") || path.startsWith("test/");

function sourceFiles(): SourceFile[] {
  const folders = [...Object.keys(MAY_IMPORT), "test"];
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts") && !name.startsWith("gen/"))
      .map((name) => ({
        path: `${folder}/${name}`,
        text: readFileSync(join(ROOT, folder, name), "utf8"),
      })),
  );
}

/** The folders a file imports from, by relative paths. */
function importedFolders(file: SourceFile): string[] {
  const paths = [...file.text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map(
    (match) => match[1] ?? "",
  );
  return paths.map(
    (path) => relative(ROOT, resolve(ROOT, dirname(file.path), path)).split("/")[0] ?? "",
  );
}

describe("tidy: the guide, as far as a machine can check it", () => {
  const files = sourceFiles();

  it("finds the source at all", () => {
    expect(files.length).to.be.greaterThan(100);
  });

  it("imports go one way only", () => {
    const wrong = files
      .filter((file) => !isTest(file.path))
      .flatMap((file) => {
        const own = file.path.split("/")[0] ?? "";
        const allowed = [own, ...(MAY_IMPORT[own] ?? [])];
        return importedFolders(file)
          .filter((folder) => !allowed.includes(folder))
          .map((folder) => `${file.path} imports ${folder}`);
      });
    expect(wrong).to.deep.equal([]);
  });

  it("pure folders have no clock, dice, socket or disk", () => {
    const wrong = files
      .filter(({ path }) => !isTest(path) && !path.endsWith("/loop.ts") && !DOORS.includes(path))
      .filter(({ path }) => PURE.some((folder) => path.startsWith(`${folder}/`)))
      .filter(({ text }) => IMPURE.test(withoutComments(text)))
      .map(({ path }) => path);
    expect(wrong).to.deep.equal([]);
  });

  it(`no file has more than ${FILE_LINES_MAX} lines`, () => {
    const wrong = files
      .filter(({ text }) => text.split("\n").length > FILE_LINES_MAX)
      .map(({ path }) => path);
    expect(wrong).to.deep.equal([]);
  });

  it("only raft-ts has a barrel file, nobody has a drawer for the rest", () => {
    const wrong = files
      .map(({ path }) => path)
      .filter(
        (path) => /\/(index|utils?|helpers?|misc)\.ts$/.test(path) && path !== "raft-ts/index.ts",
      );
    expect(wrong).to.deep.equal([]);
  });

  it("every folder says what it is, in few lines", () => {
    for (const folder of [...Object.keys(MAY_IMPORT), "test"]) {
      const lines = readFileSync(join(ROOT, folder, "README.md"), "utf8").split("\n").length;
      expect(lines, `${folder}/README.md`).to.be.lessThanOrEqual(README_LINES_MAX + 1);
    }
  });

  it("the root holds configuration, README, STYLE, CHANGELOG and LICENSE", () => {
    const names = readdirSync(ROOT, { withFileTypes: true }).filter((entry) => entry.isFile());
    expect(names.map((entry) => entry.name).filter((name) => !ROOT_FILES.test(name))).to.deep.equal(
      [],
    );
  });

  it("comments keep to NOTE and TODO(#issue)", () => {
    const wrong = files
      .filter(({ path }) => path !== "test/tidy/tidy.test.ts")
      .filter(({ text }) => /\/\/.*\b(FIXME|XXX|HACK)\b|TODO(?!\(#\d+\))/.test(text))
      .map(({ path }) => path);
    expect(wrong).to.deep.equal([]);
  });
});

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/\/\/.*$/gm, "");
}
