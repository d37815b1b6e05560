import { expect } from "chai";
import type { Command } from "commander";
import type { Context } from "../../cli/context.ts";
import { newProgram } from "../../cli/program.ts";
import { type MemoryApi, startMemoryApi } from "../support/memory-api.ts";
import { runMuster } from "../support/muster-words.ts";

const NOBODY = "unix:///run/muster-nobody.sock";
const silent = { print: () => {}, warn: () => {} } as unknown as Context;
/** It hands its words on as they are. */
const OTHERS = ["cluster recover"];

/** Every command with its words, groups too. */
function* commandsOf(command: Command, path: readonly string[]): Generator<[string, Command]> {
  for (const child of command.commands) {
    const words = [...path, child.name()];
    yield [words.join(" "), child];
    yield* commandsOf(child, words);
  }
}

const ALL = [...commandsOf(await newProgram(silent, "0", () => {}), [])].filter(
  ([name]) => !OTHERS.includes(name),
);
const LEAVES = ALL.filter(([, { commands }]) => commands.length === 0);
/** Those that are refused for want of something. */
const NEEDY = LEAVES.filter(([, { registeredArguments }]) => registeredArguments[0]?.required);
const BOUNDED = LEAVES.filter(
  ([, { registeredArguments }]) => registeredArguments.at(-1)?.variadic !== true,
);

describe("integration: what is typed after muster", () => {
  const ask = (line: string, ...more: string[]) =>
    runMuster(NOBODY, [...line.split(" ").filter((word) => word !== ""), ...more]);

  it("has help for every command, in one manner", async () => {
    expect(ALL.length).to.be.greaterThan(120);
    for (const [name] of ALL) {
      const { code, stdout, stderr } = await ask(name, "--help");
      expect([code, stderr], name).to.deep.equal([0, ""]);
      const first = name.split(" ").join("(\\|\\S+)? ");
      expect(stdout, name).to.match(
        new RegExp(`^Usage: muster ${first}[^\\n]*(\\n {7}[^\\n]*)*\\n\\n[A-Z\`'][^\\n]+`),
      );
    }
  });

  it("has a word on each flag, and no flag twice", () => {
    for (const [name, { options }] of ALL) {
      for (const { flags, description } of options)
        expect(description, `${name} ${flags}`).to.not.equal("");
      const letters = options.flatMap(({ short }) => short ?? []);
      expect(new Set(letters).size, name).to.equal(letters.length);
    }
  });

  it("is refused with an unknown flag, by name and with what to do", async () => {
    for (const [name] of ALL)
      for (const flag of name === "ps" ? ["--__proto__", "--surely-not=1"] : ["--surely-not"]) {
        const { code, stdout, stderr } = await ask(name, flag);
        expect([code, stdout], name).to.deep.equal([125, ""]);
        expect(stderr, name).to.contain(`muster: unknown flag: ${flag.replace("=1", "")}\n`);
        expect(stderr, name).to.contain(`Run 'muster ${name} --help' for more information\n`);
      }
  });

  it("is refused with too few words, and too many", async () => {
    expect(NEEDY.length).to.be.greaterThan(60);
    for (const [name] of NEEDY) {
      const { code, stderr } = await ask(name);
      expect(code, name).to.equal(125);
      expect(stderr, name).to.match(/^muster: (missing required argument|required option)/);
    }
    expect(BOUNDED.length).to.be.greaterThan(60);
    for (const [name, { registeredArguments }] of BOUNDED) {
      const words = Array.from({ length: registeredArguments.length + 1 }, () => "a");
      const { code, stderr } = await ask(name, ...words);
      expect(code, name).to.equal(125);
      expect(stderr, name).to.match(/^muster: (too many arguments|required option)/);
    }
  });

  const cases: { line: string; says: string }[] = [
    { line: "frobnicate", says: "muster: unknown command: frobnicate\n" },
    { line: "container frobnicate", says: "muster: unknown command: frobnicate\n" },
    { line: "contaner", says: "(Did you mean container?)" },
    { line: "run --networ host a", says: "(Did you mean --network?)" },
    { line: "ps -Z", says: "muster: unknown shorthand flag: 'Z' in -Z\n" },
    { line: "ps --last", says: "muster: flag needs an argument: --last\n" },
    { line: "ps -n", says: "muster: flag needs an argument: 'n' in -n\n" },
    { line: "ps --all=maybe", says: 'muster: invalid argument "maybe" for "--all" flag\n' },
    { line: "run -m 1x a", says: "muster: invalid size '1x'" },
    { line: "create --rm --restart always a", says: "conflicting options" },
    { line: "update a", says: "you must provide one or more flags" },
    { line: "inspect --type foo a", says: 'unknown type: "foo"' },
    { line: "start --checkpoint a b", says: "--checkpoint is not supported: checkpoints are" },
    { line: "volume create --scope single a", says: "--scope is not supported: cluster volumes" },
    { line: "images --tree", says: "--tree is not supported" },
    { line: "-c prod ps", says: "--context is not supported: there are none: use --host" },
    { line: "system df -v --format json", says: "conflict" },
    { line: "system prune --volumes --filter until=1h", says: '"until" filter is not supported' },
  ];
  for (const { line, says } of cases)
    it(`is refused: ${line}`, async () => {
      const { code, stdout, stderr } = await ask(line);
      expect(stderr).to.contain(says);
      expect([code, stdout]).to.deep.equal([125, ""]);
    });

  it("says that no daemon is there, once", async () => {
    for (const line of ["ps", "images", "rm a", "inspect a", "run a", "create a", "events"]) {
      const { code, stderr } = await ask(line);
      expect(code, line).to.equal(line === "run a" ? 125 : 1);
      expect(stderr, line).to.contain(`cannot connect to the Muster daemon at ${NOBODY} (ENOENT)`);
    }
  });
});

describe("integration: muster's verbs against the API", () => {
  let api: MemoryApi;
  before(async () => {
    api = await startMemoryApi();
  });
  after(() => api.close());

  const ask = (line: string) => runMuster(`unix://${api.socketPath}`, line.split(" "));

  const cases: { line: string; code: number; says: string | RegExp }[] = [
    { line: "inspect nope", code: 1, says: "[]\nError: No such object: nope\n" },
    { line: "inspect --type image nope", code: 1, says: "[]\nError response from daemon: " },
    { line: "rm nope nix", code: 1, says: /No such container: nope\n.*No such container: nix\n/ },
    { line: "rename nope a", code: 1, says: "Error: failed to rename container named nope\n" },
    { line: "update -m 64m nope", code: 1, says: "No such container: nope" },
    { line: "rm -l nope", code: 1, says: "No such container: nope" },
    { line: "network rm -f nope", code: 0, says: "nope\n" },
    { line: "network rm nope", code: 1, says: "network nope not found" },
    { line: "network ls --format {{.Name}}", code: 0, says: "ingress\n" },
    { line: "ps --filter nope", code: 1, says: "invalid filter 'nope'" },
    { line: "ps --format {{.ID", code: 1, says: "invalid template" },
    { line: "container prune -f", code: 0, says: "Total reclaimed space: 0B\n" },
    { line: "system df", code: 0, says: /^TYPE {12}TOTAL {5}ACTIVE {4}SIZE {6}RECLAIMABLE\n/ },
    { line: "system df -v", code: 0, says: "Build cache usage: 0B\n\nCACHE ID" },
    { line: "info --format {{.Name}}", code: 0, says: "host1\n" },
    { line: "info --format {{.Nmae}}", code: 1, says: 'there is no field "Nmae": use one of ' },
    { line: "version --format {{.Srever}}", code: 1, says: 'there is no field "Srever"' },
    {
      line: "version --format {{.Server.APIVersion}}/{{.Client.Os}}",
      code: 0,
      says: "1.51/linux\n",
    },
    { line: "pull Nope", code: 1, says: "Using default tag: latest\nError response from daemon: " },
  ];
  for (const { line, code, says } of cases)
    it(line, async () => {
      const answer = await ask(line);
      const said = answer.stdout + answer.stderr;
      if (typeof says === "string") expect(said).to.contain(says);
      else expect(said).to.match(says);
      expect(answer.code, said).to.equal(code);
    });
});
