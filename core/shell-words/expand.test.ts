import { expect } from "chai";
import { EXPANDED_LENGTH_MAX, lex, NESTING_MAX } from "./expand.ts";

const VARIABLES: Readonly<Record<string, string>> = {
  name: "value",
  empty: "",
  path: "/usr/local/lib/app.tar.gz",
  two: "80 443",
  quote: "it's",
  star: "a*b",
};
const lookup = (name: string) => VARIABLES[name];

const WORDS: readonly (readonly [name: string, input: string, expected: string])[] = [
  ["a plain word", "word", "word"],
  ["nothing", "", ""],
  ["a variable", "$name", "value"],
  ["a variable in braces", "a${name}b", "avalueb"],
  ["a variable ends where its name does", "$name-x $name.y", "value-x value.y"],
  ["one that is not set is empty", "a$missing-b", "a-b"],
  ["a dollar alone", "a $ b$", "a $ b$"],
  ["an escaped dollar", "\\$name \\${name}", "$name ${name}"],
  ["single quotes keep all", "'$name \\n'", "$name \\n"],
  ["double quotes expand", "\"$name 'x'\"", "value 'x'"],
  ["escapes in double quotes", '"\\" \\$name \\\\ \\n"', '" $name \\ \\n'],
  ["an escape outside of quotes goes", "a\\b\\ c", "ab c"],
  ["an escape at the end goes", "a\\", "a"],
  ["quotes in a value are characters", "$quote", "it's"],
  ["a number is a name of digits alone", "$1a", "a"],
  ["a special parameter is one character", "$?a", "a"],
  ["default of an unset one", "${missing:-other}", "other"],
  ["default of an empty one", "${empty:-other}", "other"],
  ["default without a colon: empty is set", "${empty-other}", ""],
  ["default that is not needed", "${name:-other}", "value"],
  ["default with a variable in it", "${missing:-a${name}b}", "avalueb"],
  ["default in a default", "${missing:-${gone:-deep}}", "deep"],
  ["default with quotes", "${missing:-'$name'\"$name\"}", "$namevalue"],
  ["alternative of a set one", "${name:+other}", "other"],
  ["alternative of an unset one", "${missing:+other}", ""],
  ["alternative of an empty one", "${empty:+other}", ""],
  ["alternative without a colon of an empty one", "${empty+other}", "other"],
  ["required and there", "${name:?no}", "value"],
  ["shortest prefix", "${path#*/}", "usr/local/lib/app.tar.gz"],
  ["longest prefix", "${path##*/}", "app.tar.gz"],
  ["shortest suffix", "${path%.*}", "/usr/local/lib/app.tar"],
  ["longest suffix", "${path%%.*}", "/usr/local/lib/app"],
  ["a prefix that does not fit", "${name#x}", "value"],
  ["one character of any kind", "${name#?}", "alue"],
  ["an escaped star", "${star#a\\*}", "b"],
  ["a pattern with a variable", "${name#${name}}", ""],
  ["replace the first", "${path/l/L}", "/usr/Local/lib/app.tar.gz"],
  ["replace all", "${path//l/L}", "/usr/LocaL/Lib/app.tar.gz"],
  ["replace by nothing", "${name/al/}", "vue"],
  ["replace the longest", "${path/u*o/X}", "/Xcal/lib/app.tar.gz"],
  ["replace an escaped slash", "${path//\\//-}", "-usr-local-lib-app.tar.gz"],
  ["letters of other alphabets", "ä$missing ö", "ä ö"],
];

const REFUSED: readonly (readonly [input: string, message: string])[] = [
  ["${", "failed to process \"${\": syntax error: missing '}'"],
  ["${name", "failed to process \"${name\": syntax error: missing '}'"],
  ["${name:-x", "failed to process \"${name:-x\": syntax error: missing '}'"],
  ["${}", 'failed to process "${}": syntax error: bad substitution'],
  ["${:-x}", 'failed to process "${:-x}": syntax error: bad substitution'],
  ["${name!x}", 'failed to process "${name!x}": unsupported modifier (!) in substitution'],
  ["${name:#x}", 'failed to process "${name:#x}": unsupported modifier (:#) in substitution'],
  ["${missing?}", 'failed to process "${missing?}": missing: is not allowed to be unset'],
  ["${empty:?}", 'failed to process "${empty:?}": empty: is not allowed to be empty'],
  ["${missing:?say so}", 'failed to process "${missing:?say so}": missing: say so'],
  [
    "'a",
    'failed to process "\'a": unexpected end of statement while looking for matching single-quote',
  ],
  [
    '"a',
    'failed to process "\\"a": unexpected end of statement while looking for matching double-quote',
  ],
  ["${name/a}", "failed to process \"${name/a}\": syntax error: missing '/' in substitution"],
  [
    "${name#\\x}",
    "failed to process \"${name#\\\\x}\": invalid pattern (\\x) in substitution: invalid escape '\\x'",
  ],
];

describe("dockerfile: expansion", () => {
  for (const [name, input, expected] of WORDS)
    it(name, () => expect(lex(input, { escapeSign: "\\", lookup }).text).to.equal(expected));

  for (const [input, message] of REFUSED)
    it(`refuses ${input}`, () =>
      expect(() => lex(input, { escapeSign: "\\", lookup })).to.throw(message));

  it("has another escape sign where the Dockerfile says so", () => {
    expect(lex("C:\\dir `$name", { escapeSign: "`", lookup }).text).to.equal("C:\\dir $name");
  });
  it("parts words after expanding, but not inside quotes", () => {
    const { words } = lex('$two/tcp "$two" a\\ b', { escapeSign: "\\", lookup });
    expect(words).to.deep.equal(["80", "443/tcp", "80 443", "a b"]);
  });
  it("keeps what is not set when asked to", () => {
    const { text } = lex("$missing ${missing:-x} $name", {
      escapeSign: "\\",
      lookup,
      keepUnset: true,
    });
    expect(text).to.equal("$missing ${missing:-x} value");
  });
  it("takes quotes of a heredoc for characters", () => {
    const options = { escapeSign: "\\", lookup, literalQuotes: true };
    expect(lex('it\'s "$name" \\n \\$name', options).text).to.equal('it\'s "value" \\n $name');
  });
  it("does not go as deep as it is asked to", () => {
    const deep = "${a:-".repeat(NESTING_MAX + 1) + "}".repeat(NESTING_MAX + 1);
    expect(() => lex(deep, { escapeSign: "\\", lookup })).to.throw("nested too deep");
  });
  it("does not let a value fill the memory", () => {
    const long = "x".repeat(EXPANDED_LENGTH_MAX);
    expect(() => lex("$a$a", { escapeSign: "\\", lookup: () => long })).to.throw("longer than");
  });
  it("takes no more than pattern × text for a hostile pattern", () => {
    const lookupLong = () => "a".repeat(5000);
    const pattern = `\${a##${"*a".repeat(30)}b}`;
    expect(lex(pattern, { escapeSign: "\\", lookup: lookupLong }).text).to.equal("a".repeat(5000));
  });
});
