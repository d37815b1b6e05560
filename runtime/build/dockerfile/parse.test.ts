import { expect } from "chai";
import type { Step } from "./instruction.ts";
import { findStage, parseDockerfile, parseTrigger, STEPS_MAX } from "./parse.ts";

/** The only step of a Dockerfile that has one. */
function stepOf(line: string): Step {
  const [stage] = parseDockerfile(`FROM scratch\n${line}\n`).stages;
  expect(stage?.steps).to.have.length(1);
  return stage?.steps[0]?.step as Step;
}

const pair = (key: string, value: string) => ({ key, value });
const shell = (line: string) => ({ words: [line], isShell: true });
const exec = (...words: string[]) => ({ words, isShell: false });
const COPY = { inlineFiles: [], from: "", chown: "", chmod: "" };

const STEPS: readonly (readonly [line: string, step: Step])[] = [
  ["RUN", { kind: "run", command: { words: [], isShell: true }, heredocs: [] }],
  ["RUN echo hi", { kind: "run", command: shell("echo hi"), heredocs: [] }],
  ["run   echo   hi  ", { kind: "run", command: shell("echo   hi"), heredocs: [] }],
  ['RUN ["echo", "a b"]', { kind: "run", command: exec("echo", "a b"), heredocs: [] }],
  ['RUN ["a", "]\\"]"] # said', { kind: "run", command: exec("a", ']"]'), heredocs: [] }],
  ['CMD ["a"] && b', { kind: "cmd", command: exec("a") }],
  ['VOLUME ["/x"] # said', { kind: "volume", paths: ["/x"] }],
  ['RUN [ "a" = "a" ] && b', { kind: "run", command: shell('[ "a" = "a" ] && b'), heredocs: [] }],
  ["RUN ['echo', 'x']", { kind: "run", command: shell("['echo', 'x']"), heredocs: [] }],
  ["RUN [ -f x ] && y", { kind: "run", command: shell("[ -f x ] && y"), heredocs: [] }],
  ['RUN ["a", "b"', { kind: "run", command: shell('["a", "b"'), heredocs: [] }],
  [
    "RUN a \\\n  b \\\n# comment\n  # another\n c",
    { kind: "run", command: shell("a   b  c"), heredocs: [] },
  ],
  ["RUN a \\\n\n b", { kind: "run", command: shell("a  b"), heredocs: [] }],
  ["RUN a \\  \n b", { kind: "run", command: shell("a  b"), heredocs: [] }],
  ["RUN a\\\\\n", { kind: "run", command: shell("a\\\\"), heredocs: [] }],
  ["RUN a \\", { kind: "run", command: shell("a"), heredocs: [] }],
  ["RUN a \\\r\n b\r", { kind: "run", command: shell("a  b"), heredocs: [] }],
  ["RUN echo $((1<<2))", { kind: "run", command: shell("echo $((1<<2))"), heredocs: [] }],
  ['RUN echo "<<EOF"', { kind: "run", command: shell('echo "<<EOF"'), heredocs: [] }],
  [
    "RUN <<EOF\na\n  # no comment\nb \\\nEOF",
    {
      kind: "run",
      command: shell("<<EOF"),
      heredocs: [
        { name: "EOF", content: "a\n  # no comment\nb \\\n", text: "a\n  # no comment\nb \\\n" },
      ],
    },
  ],
  [
    'RUN 3<<-"E F" cat <<B\n\tx\n\tE F\ny\nB',
    {
      kind: "run",
      command: shell('3<<-"E F" cat <<B'),
      heredocs: [
        { name: "E F", content: "\tx\n", text: "x\n" },
        { name: "B", content: "y\n", text: "y\n" },
      ],
    },
  ],
  ["CMD", { kind: "cmd", command: { words: [], isShell: true } }],
  ["CMD []", { kind: "cmd", command: exec() }],
  ['ENTRYPOINT ["/bin/x"]', { kind: "entrypoint", command: exec("/bin/x") }],
  ["ENTRYPOINT exec x", { kind: "entrypoint", command: shell("exec x") }],
  ['SHELL ["/bin/bash", "-c"]', { kind: "shell", words: ["/bin/bash", "-c"] }],
  [
    "ENV a=b c='d e' f=g\\ h",
    { kind: "env", pairs: [pair("a", "b"), pair("c", "'d e'"), pair("f", "g\\ h")] },
  ],
  ["ENV a b c", { kind: "env", pairs: [pair("a", "b c")] }],
  ["ENV a=", { kind: "env", pairs: [pair("a", "")] }],
  ['LABEL "a b"="c"', { kind: "label", pairs: [pair('"a b"', '"c"')], isLiteral: false }],
  ["ARG a", { kind: "arg", args: [{ name: "a", value: undefined }] }],
  [
    "ARG a=1 b c=",
    {
      kind: "arg",
      args: [
        { name: "a", value: "1" },
        { name: "b", value: undefined },
        { name: "c", value: "" },
      ],
    },
  ],
  ["MAINTAINER A <a@b>", { kind: "maintainer", text: "A <a@b>" }],
  ["WORKDIR /a b", { kind: "workdir", path: "/a b" }],
  ["USER a:b", { kind: "user", user: "a:b" }],
  ["VOLUME /a /b", { kind: "volume", paths: ["/a", "/b"] }],
  ['VOLUME ["/a b"]', { kind: "volume", paths: ["/a b"] }],
  ["EXPOSE 80 443/tcp", { kind: "expose", ports: ["443/tcp", "80"] }],
  ["STOPSIGNAL SIGINT", { kind: "stopsignal", signal: "SIGINT" }],
  ["ONBUILD RUN x", { kind: "onbuild", expression: "RUN x" }],
  ["ONBUILD RUN <<E\na\nE", { kind: "onbuild", expression: "RUN <<E\na\nE" }],
  ["COPY a b /c/", { kind: "copy", sources: ["a", "b"], target: "/c/", ...COPY }],
  ['COPY ["a b", "c"]', { kind: "copy", sources: ["a b"], target: "c", ...COPY }],
  [
    "COPY --from=x --chown=1:2 --chmod=755 --link a /b",
    {
      kind: "copy",
      sources: ["a"],
      target: "/b",
      inlineFiles: [],
      from: "x",
      chown: "1:2",
      chmod: "755",
    },
  ],
  ["ADD --chown=u a /b", { kind: "add", sources: ["a"], target: "/b", ...COPY, chown: "u" }],
  [
    "COPY <<a <<-'b' c /d/\n$x\na\n\ty\nb",
    {
      kind: "copy",
      sources: ["c"],
      target: "/d/",
      ...COPY,
      inlineFiles: [
        { name: "a", content: "$x\n", expands: true },
        { name: "b", content: "y\n", expands: false },
      ],
    },
  ],
  [
    "HEALTHCHECK --interval=1m30s --timeout=5s --retries=2 CMD curl x",
    {
      kind: "healthcheck",
      test: ["CMD-SHELL", "curl x"],
      flags: {
        intervalMs: 90_000,
        timeoutMs: 5000,
        startPeriodMs: 0,
        startIntervalMs: 0,
        retries: 2,
      },
    },
  ],
  [
    'HEALTHCHECK CMD ["x"]',
    {
      kind: "healthcheck",
      test: ["CMD", "x"],
      flags: { intervalMs: 0, timeoutMs: 0, startPeriodMs: 0, startIntervalMs: 0, retries: 0 },
    },
  ],
];

const REFUSED: readonly (readonly [text: string, message: string])[] = [
  ["", "the Dockerfile (Dockerfile) cannot be empty"],
  ["# only a comment\n", "failed to parse Dockerfile: file with no instructions"],
  ["\n \n", "failed to parse Dockerfile: file with no instructions"],
  ["ARG a\n", "failed to parse Dockerfile: no build stage: FROM is missing"],
  ["RUN x\n", "dockerfile parse error on line 1: no build stage in current context"],
  ["FROM a\n\nFOO x\n", "dockerfile parse error on line 3: unknown instruction: FOO"],
  ["FROM a\n__proto__ x\n", "dockerfile parse error on line 2: unknown instruction: __proto__"],
  ["FROM\n", "dockerfile parse error on line 1: FROM requires either one or three arguments"],
  ["FROM a b\n", "dockerfile parse error on line 1: FROM requires either one or three arguments"],
  [
    "FROM a AS b c\n",
    "dockerfile parse error on line 1: FROM requires either one or three arguments",
  ],
  [
    "FROM a AS 1b\n",
    'dockerfile parse error on line 1: invalid name for build stage: "1b", name can\'t start',
  ],
  ["FROM --x=y a\n", "dockerfile parse error on line 1: unknown flag: --x"],
  [
    "# escape=x\nFROM a\n",
    "failed to parse Dockerfile: invalid escape token 'x' does not match ` or \\",
  ],
  [
    "# escape=`\n# escape=`\nFROM a\n",
    "failed to parse Dockerfile: only one escape parser directive can be used",
  ],
  ["FROM a\nRUN <<EOF\nx\n", "failed to parse Dockerfile: unterminated heredoc"],
  ["FROM a\nENV a\n", "dockerfile parse error on line 2: ENV must have two arguments"],
  ["FROM a\nENV\n", "dockerfile parse error on line 2: ENV requires at least one argument"],
  ["FROM a\nENV =b\n", "dockerfile parse error on line 2: ENV names can not be blank"],
  ["FROM a\nENV a=b c\n", 'Syntax error - can\'t find = in "c". Must be of the form: name=value'],
  ["FROM a\nARG =b\n", "dockerfile parse error on line 2: ARG names can not be blank"],
  [
    "FROM a\nCOPY x\n",
    "COPY requires at least two arguments, but only one was provided. Destination could not be determined",
  ],
  ["FROM a\nCOPY --from=x --from=y a b\n", "duplicate flag specified: --from"],
  ["FROM a\nCOPY --from a b\n", "missing a value on flag: --from"],
  ["FROM a\nCOPY --exclude=x a b\n", "the --exclude option requires BuildKit"],
  ["FROM a\nADD --from=x a b\n", "unknown flag: --from"],
  ["FROM a\nCOPY a <<EOF\nEOF\n", "COPY cannot accept a heredoc as a destination"],
  ["FROM a\nRUN --mount=type=cache,target=/x y\n", "the --mount option requires BuildKit"],
  ['FROM a\nRUN ["a", 1]\n', "arrays must be comprised of strings only"],
  ['FROM a\nCMD [["a"]] b\n', "arrays must be comprised of strings only"],
  ["FROM a\nSHELL bash -c\n", "SHELL requires the arguments to be in JSON form: SHELL bash -c"],
  ["FROM a\nSHELL []\n", "SHELL requires at least one argument"],
  ["FROM a\nONBUILD ONBUILD RUN x\n", "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"],
  ["FROM a\nONBUILD FROM x\n", "FROM isn't allowed as an ONBUILD trigger"],
  ["FROM a\nHEALTHCHECK NONE x\n", "HEALTHCHECK NONE takes no arguments"],
  ["FROM a\nHEALTHCHECK CMD\n", "Missing command after HEALTHCHECK CMD"],
  ["FROM a\nHEALTHCHECK XYZ a\n", 'Unknown type "XYZ" in HEALTHCHECK (try CMD)'],
  ["FROM a\nHEALTHCHECK --interval=1us CMD a\n", 'Interval "interval" cannot be less than 1ms'],
  ["FROM a\nHEALTHCHECK --interval=x CMD a\n", 'time: invalid duration "x"'],
  ["FROM a\nHEALTHCHECK --retries=-1 CMD a\n", "--retries cannot be negative (-1)"],
  ['FROM a\nVOLUME [""]\n', "VOLUME specified can not be an empty string"],
  [`FROM a\n${"RUN x\n".repeat(STEPS_MAX)}`, `more than ${STEPS_MAX} instructions`],
  [`FROM a\nRUN ${"x".repeat(65_536)}\n`, "dockerfile line greater than max allowed size of 65535"],
];

describe("dockerfile: parser", () => {
  for (const [line, step] of STEPS)
    it(JSON.stringify(line), () => expect(stepOf(line)).to.deep.equal(step));

  for (const [text, message] of REFUSED)
    it(`refuses ${JSON.stringify(text.slice(0, 60))}`, () =>
      expect(() => parseDockerfile(text)).to.throw(message));

  it("knows stages, by name and by number", () => {
    const { stages, metaArgs } = parseDockerfile(
      "ARG V=1\nFROM a:$V AS One\nRUN x\nFROM --platform=linux/arm64 one\nCOPY --from=0 a b\n",
    );
    expect(metaArgs.map(({ args }) => args)).to.deep.equal([[{ name: "V", value: "1" }]]);
    expect(stages.map(({ name, base, platform }) => [name, base, platform])).to.deep.equal([
      ["one", "a:$V", ""],
      ["", "one", "linux/arm64"],
    ]);
    expect(findStage(stages, "ONE")).to.equal(0);
    expect(findStage(stages, "1")).to.equal(1);
    expect(findStage(stages, "2")).to.equal(undefined);
  });
  it("says what a step is called as it is written, on one line", () => {
    const { stages } = parseDockerfile("from  a \n  RUN x \\\n   y\n");
    expect(stages[0]?.code).to.equal("from  a");
    expect(stages[0]?.steps[0]?.code).to.equal("RUN x    y");
  });
  it("has another escape sign where it is said, in the first comments only", () => {
    const { stages, escapeSign } = parseDockerfile("# escape=`\nFROM a\nRUN x `\n y\\\nRUN z\n");
    expect(escapeSign).to.equal("`");
    expect(stages[0]?.steps.map(({ code }) => code)).to.deep.equal(["RUN x  y\\", "RUN z"]);
    expect(parseDockerfile("# hello\n# escape=`\nFROM a\n").escapeSign).to.equal("\\");
    expect(parseDockerfile("\n# escape=`\nFROM a\n").escapeSign).to.equal("\\");
  });
  it("passes over a mark of byte order, and warns of what it does not do", () => {
    const { warnings } = parseDockerfile(
      "\ufeff# syntax=docker/dockerfile-else:1\nFROM a\nRUN x \\\n\n y\n",
    );
    expect(warnings).to.deep.equal([
      "Empty continuation line found in: RUN x  y",
      "the directive syntax=docker/dockerfile-else:1 is ignored: muster reads the Dockerfile itself",
    ]);
  });
  it("says nothing of the syntax that it reads", () => {
    for (const syntax of [
      "docker/dockerfile:1",
      "docker.io/docker/dockerfile",
      "docker/dockerfile-upstream:x",
    ])
      expect(parseDockerfile(`# syntax=${syntax}\nFROM a\n`).warnings).to.deep.equal([]);
  });
  it("reads what an ONBUILD left, with its heredocs", () => {
    expect(parseTrigger("RUN <<E\na\nE").step).to.have.property("kind", "run");
    expect(() => parseTrigger("RUN a\nRUN b")).to.throw("single expression");
  });
});
