import { expect } from "chai";
import fc from "fast-check";
import { ClusterError } from "../errors.ts";
import { BLOCK_BYTES, checksum } from "./tar-header.ts";
import { type TarEntry, TarReader } from "./tar-reader.ts";

type Fields = Partial<
  Record<
    "name" | "flag" | "linkName" | "size" | "uid" | "mode" | "magic" | "prefix" | "mtime",
    string
  >
>;

/** A header whose fields are given as they stand in the archive. */
function header(fields: Fields): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write(fields.name ?? "", 0, "latin1");
  block.write(fields.mode ?? "0000644", 100);
  block.write(fields.uid ?? "0000000", 108, "latin1");
  block.write("0000000", 116);
  block.write(fields.size ?? "00000000000", 124, "latin1");
  block.write(fields.mtime ?? "00000000000", 136, "latin1");
  block.write(fields.flag ?? "0", 156);
  block.write(fields.linkName ?? "", 157, "latin1");
  block.write(fields.magic ?? "ustar\u000000", 257);
  block.write(fields.prefix ?? "", 345, "latin1");
  block.write(`${checksum(block).toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

/** A header of the content's size, and the content in whole blocks. */
function entry(fields: Fields, content = ""): Buffer {
  const bytes = Buffer.from(content, "latin1");
  const size = bytes.length.toString(8).padStart(11, "0");
  const padding = Buffer.alloc((BLOCK_BYTES - (bytes.length % BLOCK_BYTES)) % BLOCK_BYTES);
  return Buffer.concat([header({ ...fields, size }), bytes, padding]);
}

function extended(flag: string, records: readonly string[]): Buffer {
  const lines = records.map((record) => {
    const rest = ` ${record}\n`;
    const digits = String(rest.length + 2).length;
    return `${rest.length + digits}${rest}`;
  });
  return entry({ flag, name: "PaxHeader" }, lines.join(""));
}

const END = Buffer.alloc(2 * BLOCK_BYTES);

interface Read extends TarEntry {
  content: string;
}

function read(archive: Buffer, cuts: readonly number[] = []): Read[] {
  const entries: Read[] = [];
  let ended = 0;
  const reader = new TarReader({
    onEntry: (found) => entries.push({ ...found, content: "" }),
    onContent: (bytes) => {
      const last = entries.at(-1);
      if (last) last.content += Buffer.from(bytes).toString("latin1");
    },
    onEntryEnd: () => ended++,
  });
  let from = 0;
  for (const to of [...cuts.toSorted((a, b) => a - b), archive.length]) {
    reader.push(archive.subarray(from, to));
    from = to;
  }
  reader.finish();
  expect(ended).to.equal(entries.length);
  return entries;
}

function firstOf(...parts: Buffer[]): Read {
  const [first] = read(Buffer.concat([...parts, END]));
  if (first === undefined) throw new Error("no entry");
  return first;
}

describe("tar reader", () => {
  const types = ["file", "hardLink", "symlink", "charDevice", "blockDevice", "directory", "fifo"];
  for (const [flag, type] of types.entries()) {
    it(`knows a ${type}`, () =>
      expect(firstOf(header({ flag: String(flag) })).type).to.equal(type));
  }

  it("takes a file that is named like a directory for one, as archives older than POSIX mean it", () => {
    expect(firstOf(header({ name: "d/", flag: "\0", magic: "" })).type).to.equal("directory");
  });
  it("joins prefix and name of POSIX headers, not of GNU's", () => {
    expect(firstOf(header({ name: "n", prefix: "p" })).name).to.equal("p/n");
    expect(firstOf(header({ name: "n", prefix: "p", magic: "ustar  \0" })).name).to.equal("n");
  });
  it("reads numbers in base 256", () => {
    expect(firstOf(header({ uid: "\x80\0\0\0\0\x2d\xc6\xc0" })).uid).to.equal(3_000_000);
    expect(firstOf(header({ mtime: `\xff${"\xff".repeat(10)}\xfe` })).mtime.seconds).to.equal(-2);
  });
  it("reads GNU's long names", () => {
    const name = "n".repeat(300);
    const long = firstOf(
      entry({ flag: "L" }, `${name}\0`),
      entry({ flag: "K" }, "target\0"),
      header({ flag: "2" }),
    );
    expect(long).to.include({ name, linkName: "target" });
  });
  it("lets an extended header say better, for the next entry only", () => {
    const archive = Buffer.concat([
      extended("x", ["path=long", "uid=3000000", "mtime=12.5", "size=3"]),
      header({ name: "short" }),
      Buffer.from("abc".padEnd(BLOCK_BYTES, "\0")),
      header({ name: "next" }),
      END,
    ]);
    const [first, second] = read(archive);
    expect(first).to.include({ name: "long", uid: 3_000_000, content: "abc" });
    expect(first?.mtime).to.deep.equal({ seconds: 12, nanos: 500_000_000 });
    expect(second).to.include({ name: "next", uid: 0 });
  });
  it("lets a global header say it for all entries", () => {
    const [first, second] = read(
      Buffer.concat([
        extended("g", ["uid=7"]),
        header({}),
        extended("x", ["uid=8"]),
        header({}),
        END,
      ]),
    );
    expect([first?.uid, second?.uid]).to.deep.equal([7, 8]);
  });
  it("keeps attributes and names as bytes", () => {
    const found = firstOf(
      extended("x", ["path=\xff", "SCHILY.xattr.user.a=\x00\x80=\n"]),
      header({}),
    );
    expect(found.name).to.equal("\xff");
    expect(found.xattrs.get("user.a")).to.deep.equal(new Uint8Array([0, 0x80, 0x3d, 0x0a]));
  });
  it("takes no content from what is not a file", () => {
    expect(firstOf(header({ flag: "1", linkName: "x", size: "00000001000" })).sizeBytes).to.equal(
      0,
    );
  });
  it("ends at a block of zeros, whatever follows, and at the end of the bytes", () => {
    expect(read(Buffer.concat([header({}), END, Buffer.from("junk")]))).to.have.length(1);
    expect(read(header({}))).to.have.length(1);
  });

  const archive = Buffer.concat([
    extended("x", ["path=a", "SCHILY.xattr.user.x=1"]),
    entry({}, "content".repeat(200)),
    entry({ flag: "L" }, "long\0"),
    entry({}, ""),
    END,
  ]);
  it("reads the same however the bytes are cut", () => {
    const whole = read(archive);
    const cuts = fc.array(fc.nat(archive.length), { maxLength: 12 });
    fc.assert(
      fc.property(cuts, (at) => {
        expect(read(archive, at)).to.deep.equal(whole);
      }),
      { numRuns: 50 },
    );
  });
  it("says when the archive ends inside an entry", () => {
    for (const length of [1, 511, 513, 2000, 2600, 3600])
      expect(() => read(archive.subarray(0, length)), `${length}`)
        .to.throw(ClusterError, /truncated/)
        .with.property("code", "DataLoss");
  });

  it("takes one that ends without the padding of its last entry, as docker's clients send them", () => {
    const content = 1536 + 1400;
    for (const length of [content, content + 1, content + 135])
      expect(read(archive.subarray(0, length)), `${length}`).to.deep.equal(
        read(archive.subarray(0, content + 136)),
      );
  });

  const malformed: { name: string; bytes: Buffer; reason: RegExp }[] = [
    { name: "noise", bytes: Buffer.alloc(BLOCK_BYTES, "7"), reason: /checksum/ },
    { name: "an unknown type", bytes: header({ flag: "Z" }), reason: /unknown entry type "Z"/ },
    { name: "a number that is none", bytes: header({ uid: "12x" }), reason: /octal/ },
    {
      name: "a number beyond 2^53",
      bytes: header({ size: `\x80${"\xff".repeat(11)}` }),
      reason: /too large/,
    },
    {
      name: "an owner that the kernel cannot have",
      bytes: header({ uid: "\x80\0\0\x01\0\0\0\0" }),
      reason: /4294967296 is no owner/,
    },
    {
      name: "such an owner in a record",
      bytes: Buffer.concat([extended("x", ["gid=4294967296"]), entry({ name: "a" })]),
      reason: /4294967296 is no owner/,
    },
    { name: "a negative size", bytes: header({ size: "\xff".repeat(12) }), reason: /negative/ },
    {
      name: "a huge extended header",
      bytes: header({ flag: "x", size: "77777777777" }),
      reason: /too large/,
    },
    {
      name: "a record without length",
      bytes: entry({ flag: "x" }, "path=x\n"),
      reason: /no length/,
    },
    {
      name: "a record beyond the header",
      bytes: entry({ flag: "x" }, "99 path=x\n"),
      reason: /wrong length/,
    },
    {
      name: "a record of length 0",
      bytes: entry({ flag: "x" }, "0 path=x\n"),
      reason: /wrong length/,
    },
    { name: "a record without value", bytes: entry({ flag: "x" }, "7 path\n"), reason: /no value/ },
    {
      name: "a sparse file",
      bytes: Buffer.concat([extended("x", ["GNU.sparse.major=1"]), header({})]),
      reason: /sparse/,
    },
  ];
  for (const { name, bytes, reason } of malformed) {
    it(`refuses ${name}`, () => {
      expect(() => read(bytes))
        .to.throw(ClusterError, reason)
        .with.property("code", "InvalidArgument");
    });
  }

  it("throws nothing but ClusterErrors, whatever the bytes", () => {
    const noise = fc.uint8Array({ maxLength: 3 * BLOCK_BYTES });
    const at = fc.nat(archive.length - 1);
    const spoilt = fc
      .tuple(at, fc.nat(255))
      .map(([index, value]) => Buffer.from(archive).fill(value, index, index + 1));
    fc.assert(
      fc.property(fc.oneof(noise, spoilt), (bytes) => {
        try {
          read(Buffer.from(bytes));
        } catch (error) {
          return error instanceof ClusterError;
        }
        return true;
      }),
      { numRuns: 200 },
    );
  });
});
