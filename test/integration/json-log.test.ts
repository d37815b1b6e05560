import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { JsonLog } from "../../runtime/container/log/json-log.ts";

const TIME = "2026-01-02T03:04:05.000000006";

describe("integration: logs as JSON", () => {
  const folder = mkdtempSync(join(tmpdir(), "muster-json-log-"));
  after(() => rmSync(folder, { recursive: true }));
  let count = 0;
  let source: string;
  let target: string;
  let position: string;
  beforeEach(() => {
    count += 1;
    source = join(folder, `${count}.log`);
    target = join(folder, `${count}-json.log`);
    position = join(folder, `${count}.position`);
  });

  const newLog = (limits: { sizeBytesMax?: number; filesMax?: number } = {}) =>
    new JsonLog({
      ...{ source, target, position, attributes: new Map() },
      limits: { kind: "file", journal: false, sizeBytesMax: 2 ** 20, filesMax: 3, ...limits },
    });
  const write = (...words: string[]) =>
    appendFileSync(source, words.map((word) => `${TIME}+00:00 stdout F ${word}\n`).join(""));
  /** As the rotator does it: what conmon has open is what is put aside. */
  const rotate = () => {
    if (existsSync(`${source}.1`)) renameSync(`${source}.1`, `${source}.2`);
    renameSync(source, `${source}.1`);
    writeFileSync(source, "");
  };
  const wordsIn = (path: string): string[] =>
    readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => (JSON.parse(line) as { log: string }).log.trim());
  const words = () => wordsIn(target);

  it("are there from the beginning of a run, and follow what is written", async () => {
    const log = newLog();
    log.begin();
    expect(await log.catchUp()).to.equal(true);
    expect(words()).to.deep.equal([]);
    for (const word of ["one", "two"]) {
      write(word);
      expect(await log.catchUp()).to.equal(true);
    }
    expect(words()).to.deep.equal(["one", "two"]);
    appendFileSync(source, `${TIME}+00:00 stdout F half`);
    await log.catchUp();
    appendFileSync(source, " and half\n");
    await log.catchUp();
    expect(words()).to.deep.equal(["one", "two", "half and half"]);
  });

  it("follow over files that were put aside, and are put aside themselves", async () => {
    const log = newLog({ sizeBytesMax: 100 });
    write("one", "two");
    await log.catchUp();
    write("three");
    rotate();
    write("four");
    await log.catchUp();
    expect(wordsIn(`${target}.2`)).to.deep.equal(["one", "two"]);
    expect(wordsIn(`${target}.1`)).to.deep.equal(["three", "four"]);
    expect(words()).to.deep.equal([]);
    const single = newLog({ sizeBytesMax: 100, filesMax: 1 });
    write("five", "six");
    await single.catchUp();
    expect(words()).to.deep.equal([]);
  });

  it("have each line once, wherever a kill comes between two steps", async () => {
    // Every state that a kill can leave: the position as it was before, the lines written or some of them, one torn.
    write("one", "two");
    await newLog().catchUp();
    const before = readFileSync(position);
    write("three", "four", "five");
    await newLog().catchUp();
    const whole = readFileSync(target);
    const since = whole.indexOf("three") - 8;
    for (let end = since; end <= whole.length; end++) {
      writeFileSync(target, whole.subarray(0, end));
      writeFileSync(position, before);
      const log = newLog();
      await log.catchUp();
      await log.catchUp();
      expect(readFileSync(target).equals(whole), `killed after ${end - since} bytes`).to.equal(
        true,
      );
    }
  });

  it("have each line once though the kill came as they were put aside", async () => {
    write("one");
    await newLog().catchUp();
    const before = readFileSync(position);
    write("two", "three");
    await newLog().catchUp();
    renameSync(target, `${target}.1`);
    writeFileSync(position, before);
    write("four");
    const log = newLog();
    log.begin();
    await log.catchUp();
    expect([...wordsIn(`${target}.1`), ...words()]).to.deep.equal(["one", "two", "three", "four"]);
  });

  it("have each line once though nothing was written down yet", async () => {
    write("one", "two");
    await newLog().catchUp();
    rmSync(position);
    write("three");
    await newLog().catchUp();
    expect(words()).to.deep.equal(["one", "two", "three"]);
  });

  it("go on with the oldest there is where the one they were at fell out", async () => {
    const log = newLog();
    write("one");
    await log.catchUp();
    write("two");
    for (const word of ["three", "four", "five"]) {
      rotate();
      write(word);
    }
    await log.catchUp();
    expect(words()).to.deep.equal(["one", "three", "four", "five"]);
  });

  it("are written no more once they are closed", async () => {
    const log = newLog();
    write("one");
    await log.catchUp();
    await log.close();
    rmSync(target);
    write("two");
    expect(await log.catchUp()).to.equal(true);
    expect(existsSync(target)).to.equal(false);
  });
});
