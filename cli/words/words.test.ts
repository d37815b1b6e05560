import { expect } from "chai";
import { parseWords, type WordFlag } from "./words.ts";

const FLAGS: readonly WordFlag[] = [
  { name: "env", short: "e", takes: "value" },
  { name: "interactive", short: "i", takes: "boolean" },
  { name: "tty", short: "t", takes: "boolean" },
  { name: "network", takes: "value" },
  { name: "autolock", takes: "perhaps" },
];

/** `name=value …| operands` */
function read(line: string, interspersed: boolean): string {
  const words = line === "" ? [] : line.split(" ");
  const { given, operands } = parseWords(words, FLAGS, interspersed);
  const flags = given.map(({ flag, value }) => `${flag.name}=${value}`);
  return `${flags.join(" ")}|${operands.join(" ")}`;
}

describe("words", () => {
  const cases: { line: string; expected: string; interspersed?: boolean }[] = [
    { line: "", expected: "|" },
    { line: "-e A=1 a -it b", expected: "env=A=1 interactive=true tty=true|a b" },
    { line: "-e A=1 a -it b", expected: "env=A=1|a -it b", interspersed: false },
    { line: "-eA=1 -e=B --env C --env=D=", expected: "env=A=1 env=B env=C env=D=|" },
    { line: "-ite A", expected: "interactive=true tty=true env=A|" },
    { line: "-it=false a", expected: "interactive=true tty=false|a" },
    { line: "--tty=F --interactive=1 true", expected: "tty=false interactive=true|true" },
    { line: "-e -it --env --tty", expected: "env=-it env=--tty|" },
    { line: "a -- -it -- b", expected: "|a -it -- b" },
    { line: "- -t", expected: "tty=true|-" },
    { line: "--net host --net=none", expected: "network=host network=none|" },
    { line: "--autolock false", expected: "autolock=undefined|false" },
    { line: "--autolock=false", expected: "autolock=false|" },
  ];
  for (const { line, expected, interspersed = true } of cases)
    it(`${JSON.stringify(line)}${interspersed ? "" : " up to the first operand"}`, () =>
      expect(read(line, interspersed)).to.equal(expected));

  const bad: { line: string; says: string }[] = [
    { line: "--foo", says: "unknown flag: --foo" },
    { line: "--foo=a", says: "unknown flag: --foo" },
    { line: "--__proto__", says: "unknown flag: --__proto__" },
    { line: "--constructor", says: "unknown flag: --constructor" },
    { line: "-tZi", says: "unknown shorthand flag: 'Z' in -Zi" },
    { line: "--env", says: "flag needs an argument: --env" },
    { line: "-ie", says: "flag needs an argument: 'e' in -e" },
    { line: "---tty", says: "bad flag syntax: ---tty" },
    { line: "--=a", says: "bad flag syntax: --=a" },
    { line: "--tty=maybe", says: 'invalid argument "maybe" for "--tty" flag' },
    { line: "-t=", says: "unknown shorthand flag: '=' in -=" },
  ];
  for (const { line, says } of bad)
    it(`refuse ${line}`, () => expect(() => read(line, true)).to.throw(says));
});
