import { expect } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import { findK8sLine, LINE_BYTES_MAX, LineSplitter, toRecord } from "./k8s-log.ts";
import { planLogLimits, planRotation } from "./log-files.ts";

const TIME = "2026-01-02T03:04:05.000000006";
const bytes = (text: string) => Buffer.from(text, "utf8");
const text = (data: Uint8Array) => Buffer.from(data).toString("utf8");

describe("log: line of conmon's", () => {
  it("is a time, a stream, whether it is whole, and the text", () => {
    const line = findK8sLine(bytes(`${TIME}+00:00 stderr F two words`));
    expect(line).to.include({ time: `${TIME}Z`, stderr: true, partial: false });
    expect(line && text(line.data)).to.equal("two words");
  });
  it("keeps another zone's time and any text, none too", () => {
    const line = findK8sLine(bytes(`${TIME}+02:00 stdout P `));
    expect(line).to.include({ time: `${TIME}+02:00`, stderr: false, partial: true });
    expect(line?.data).to.have.length(0);
  });
  it("gets its newline back when it is whole", () => {
    const read = (tag: string) => {
      const line = findK8sLine(bytes(`${TIME}+00:00 stdout ${tag} abc`));
      return line && text(toRecord(line).data);
    };
    expect(read("F")).to.equal("abc\n");
    expect(read("P")).to.equal("abc");
  });
  for (const torn of ["", "2026", `${TIME} stdout`, `${TIME} stdout F`, `${TIME} stdin F x`])
    it(`is none when torn: ${JSON.stringify(torn)}`, () =>
      expect(findK8sLine(bytes(torn))).to.equal(undefined));
});

describe("log: splitter", () => {
  it("finds the same lines whatever the pieces", () => {
    const whole = "one\ntwo\n\nthree\nrest";
    for (let size = 1; size <= whole.length; size++) {
      const splitter = new LineSplitter();
      const lines: string[] = [];
      for (let at = 0; at < whole.length; at += size)
        for (const line of splitter.push(bytes(whole.slice(at, at + size)))) lines.push(text(line));
      expect(lines, `pieces of ${size}`).to.deep.equal(["one", "two", "", "three"]);
    }
  });
  it("keeps what is begun though the buffer it came in is used again", () => {
    const splitter = new LineSplitter();
    const buffer = bytes("abc");
    expect([...splitter.push(buffer)]).to.deep.equal([]);
    buffer.write("d\n\n");
    expect([...splitter.push(buffer)].map(text)).to.deep.equal(["abcd", ""]);
  });
  it("leaves out a line that is too long and goes on with the next", () => {
    const splitter = new LineSplitter();
    const chunk = Buffer.alloc(LINE_BYTES_MAX / 2, "x");
    for (let count = 0; count < 4; count++) expect([...splitter.push(chunk)]).to.deep.equal([]);
    expect([...splitter.push(bytes("\nnext\n"))].map(text)).to.deep.equal(["next"]);
  });
});

describe("log: limits", () => {
  const plan = (options: Record<string, string>, driver = "json-file") =>
    planLogLimits({ driver, options });
  it("are bounded when nothing is asked", () =>
    expect(plan({})).to.deep.equal({
      kind: "file",
      journal: false,
      sizeBytesMax: 20 * 2 ** 20,
      filesMax: 5,
    }));
  it("take Docker's spellings", () => {
    expect(plan({ "max-size": "10m", "max-file": "3" })).to.include({
      sizeBytesMax: 10 * 2 ** 20,
      filesMax: 3,
    });
    expect(plan({ "max-size": "1GB" }).sizeBytesMax).to.equal(2 ** 30);
    expect(plan({ "max-size": "-1" }).sizeBytesMax).to.equal(Number.MAX_SAFE_INTEGER);
    expect(plan({}, "none").kind).to.equal("none");
    expect(plan({}, "journald")).to.include({ kind: "file", journal: true });
  });
  it("refuse another driver and values that are none", () => {
    for (const work of [
      () => plan({}, "syslog"),
      () => plan({ "max-size": "0" }),
      () => plan({ "max-size": "ten" }),
      () => plan({ "max-file": "0" }),
      () => plan({ "max-file": "1.5" }),
    ])
      expect(work).to.throw(ClusterError, /invalid log/);
  });
  it("put the oldest away first", () =>
    expect(planRotation("l", 3)).to.deep.equal([
      { from: "l.1", to: "l.2" },
      { from: "l", to: "l.1" },
    ]));
  it("move nothing when there is one file: conmon replaces it", () =>
    expect(planRotation("l", 1)).to.deep.equal([]));
});
