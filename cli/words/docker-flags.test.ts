import { readFileSync } from "node:fs";
import { expect } from "chai";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { newProgram } from "../program.ts";

const LIST = readFileSync(new URL("./testdata/docker-flags.txt", import.meta.url), "utf8");
/** All that docker has for one machine. */
const VERBS = [...LIST.matchAll(/^[a-z][a-z ]*$/gm)].map(([verb]) => verb);

const program = await newProgram(
  { print: () => {}, warn: () => {} } as unknown as Context,
  "0",
  () => {},
);

/** `-l --label list` of a verb of docker's. */
function dockersFlags(verb: string): string[] {
  const [, flags] = new RegExp(`^${verb}\\n((?: .*\\n)*)`, "m").exec(LIST) ?? [];
  if (flags === undefined) throw new Error(`no ${verb} among docker's verbs`);
  return flags.split("\n").filter((line) => line !== "");
}

/** What a verb of ours takes: `-l --label value`. */
function ownFlags(verb: string): string[] {
  let command: Command | undefined = program;
  for (const name of verb.split(" "))
    command = command?.commands.find((one) => one.name() === name);
  if (command === undefined) throw new Error(`muster has no ${verb}`);
  return command.options.map(({ short, long, required }) =>
    flagText(short ?? "", long ?? "", required ? "value" : "bool"),
  );
}

function flagText(short: string, long: string, kind: string): string {
  return `${short} ${long} ${kind === "bool" ? "bool" : "value"}`.trim();
}

describe("docker's flags", () => {
  for (const verb of VERBS)
    it(`are taken by muster ${verb}`, () => {
      const expected = dockersFlags(verb).map((line) => {
        const [, short = "", long = "", kind = ""] = /^ +(-\w)? *(--\S+) (\S+)$/.exec(line) ?? [];
        return flagText(short, long, kind);
      });
      const own = ownFlags(verb);
      const help = "--help bool";
      expect(expected.filter((flag) => !own.includes(flag) && flag !== help)).to.deep.equal([]);
    });

  it("of docs/docker-run.md are taken by muster run", () => {
    const table = readFileSync(new URL("../../docs/docker-run.md", import.meta.url), "utf8");
    const rows = table.split("\n").filter((line) => /^\| `--/.test(line));
    const cells = rows.map((row) => row.split("|")[1] ?? "");
    const flags = cells.flatMap((cell) => [...cell.matchAll(/`(--[a-z0-9-]+)`/g)]);
    const own = ownFlags("run").map((flag) => /--\S+/.exec(flag)?.[0]);
    const missing = flags.map(([, flag]) => flag).filter((flag) => !own.includes(flag));
    expect(flags.length).to.be.greaterThan(90);
    expect(missing).to.deep.equal(["--help"]);
  });
});
