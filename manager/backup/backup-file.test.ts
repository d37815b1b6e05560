import { expect } from "chai";
import { failureOf } from "../../test/support/failure-of.ts";
import { type BackupHeader, openBackup, sealBackup } from "./backup-file.ts";

const SECRET = "correct horse battery";
const HEADER: BackupHeader = {
  clusterId: "c1",
  index: 42,
  createdAtMs: 1_800_000_000_000,
  version: "1.0",
  secret: "passphrase",
  salt: Buffer.from("sixteen bytes ok").toString("base64"),
};
const PARTS = [Buffer.from("header"), Buffer.alloc(5000, "x"), Buffer.from("the CA's key")];

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function sealed(header = HEADER, parts: readonly Buffer[] = PARTS): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of sealBackup(header, each(parts), SECRET))
    chunks.push(Buffer.from(chunk));
  return chunks;
}

async function read(bytes: Uint8Array, secret = SECRET): Promise<Buffer[]> {
  // In pieces that fit no boundary.
  const pieces = Array.from({ length: Math.ceil(bytes.length / 777) }, (_, i) =>
    bytes.subarray(i * 777, (i + 1) * 777),
  );
  const { parts } = await openBackup(each(pieces), () => secret);
  const found: Buffer[] = [];
  for await (const part of parts) found.push(Buffer.from(part));
  return found;
}

describe("backup file", function () {
  this.timeout(60_000);

  it("gives back its parts, and shows only its header", async () => {
    const bytes = Buffer.concat(await sealed());
    expect(await read(bytes)).to.deep.equal(PARTS);
    expect(bytes.includes("the CA's key")).to.equal(false);
    expect(bytes.toString("latin1")).to.match(/^muster backup 1\n\{"clusterId":"c1"/);
    expect((await openBackup(each([bytes]), () => SECRET)).header).to.deep.equal(HEADER);
  });

  it("may be empty", async () => {
    expect(await read(Buffer.concat(await sealed(HEADER, [])))).to.deep.equal([Buffer.alloc(0)]);
  });

  it("does not open with another secret, and says which it wants", async () => {
    const error = await failureOf(read(Buffer.concat(await sealed()), "another passphrase"));
    expect(error.code).to.equal("Unauthenticated");
    expect(error.message).to.contain("the passphrase is not the one");
  });

  it("refuses what is no backup or of another version", async () => {
    for (const text of ["", "PK\u0003\u0004 something else\n", "x".repeat(10_000)]) {
      expect((await failureOf(read(Buffer.from(text)))).message).to.contain("it is none");
    }
    const newer = Buffer.from("muster backup 2\n{}\n");
    expect((await failureOf(read(newer))).message).to.contain("of another version");
  });

  it("refuses a header that was changed", async () => {
    const text = Buffer.concat(await sealed()).toString("latin1");
    const changed = Buffer.from(text.replace('"index":42', '"index":43'), "latin1");
    expect((await failureOf(read(changed))).code).to.equal("Unauthenticated");
  });

  it("refuses to be cut at the end of any chunk or in the middle of one", async () => {
    const chunks = await sealed();
    for (let kept = 2; kept < chunks.length; kept++) {
      const whole = Buffer.concat(chunks.slice(0, kept));
      for (const cut of [whole, whole.subarray(0, whole.length - 1)]) {
        expect((await failureOf(read(cut))).code).to.be.oneOf(["DataLoss", "Unauthenticated"]);
      }
    }
  });

  it("refuses chunks that were exchanged, left out, repeated, added or are of another file", async () => {
    const chunks = await sealed();
    const other = await sealed({ ...HEADER, salt: Buffer.alloc(16, 7).toString("base64") });
    const at = (...order: readonly number[]) => order.map((i) => chunks[i] as Buffer);
    const cases = {
      exchanged: at(0, 1, 3, 2, 4),
      "left out": at(0, 1, 2, 4),
      repeated: at(0, 1, 2, 2, 3, 4),
      foreign: [...at(0, 1, 2), other[3] as Buffer, ...at(4)],
    };
    for (const [name, list] of Object.entries(cases)) {
      const error = await failureOf(read(Buffer.concat(list)));
      expect(error.code, name).to.equal("DataLoss");
      expect(error.message, name).to.match(/damaged at byte \d+: it was changed or cut off here/);
    }
    const added = Buffer.concat([...chunks, Buffer.from("more")]);
    expect((await failureOf(read(added))).message).to.contain("something follows its end");
  });

  it("refuses any flipped bit", async () => {
    const bytes = Buffer.concat(await sealed(HEADER, [Buffer.from("ab"), Buffer.from("cd")]));
    const start = bytes.indexOf("}\n") + 2;
    // Each costs a derivation of the key: every seventh byte of the chunks, another bit each time.
    for (let at = start; at < bytes.length; at += 7) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      const error = await failureOf(read(flipped));
      expect(error.code, `byte ${at}`).to.be.oneOf(["DataLoss", "Unauthenticated"]);
    }
  });
});
