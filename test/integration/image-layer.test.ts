import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { digestOfHex } from "../../runtime/image/digest.ts";
import { unpackLayer } from "../../runtime/image/layer/unpack.ts";
import { findXattr, setXattr } from "../../runtime/linux/files.ts";
import { unpackPackages } from "../support/debian-packages.ts";

/** Everything a file system of Linux can hold and an image may have. */
const ODD_TREE = `
  set -e
  mkdir -p plain/deep sticky; chmod 1777 sticky
  printf hello > plain/file; ln plain/file plain/hard; ln -s ../plain/file plain/soft; ln -s /nowhere plain/dangling
  ln plain/soft plain/hard-of-soft
  : > plain/empty; head -c 100000 /dev/urandom > plain/random; head -c 512 /dev/urandom > plain/block
  mkfifo plain/fifo; mknod plain/char c 1 3; mknod plain/block-device b 259 70000; chmod 640 plain/char
  printf x > plain/setuid; chown 1234:5678 plain/setuid; chmod 6755 plain/setuid
  printf x > plain/large-owner; chown 3000000:4000000000 plain/large-owner
  long=$(printf 'n%.0s' $(seq 200)); mkdir -p "$long/$long"; printf deep > "$long/$long/$long"; ln -s "$long/$long" long-link
  printf x > 'with space'; printf x > $'new\\nline'; printf x > $'byte\\xff\\xfe'; printf x > 'größe'
  touch -d '2001-02-03 04:05:06.123456789' plain/file; touch -h -d '1969-12-31 23:00:00.5' plain/soft
  touch -d '2030-01-01' plain/deep; chmod 500 plain/deep
  touch -d '2002-02-02 02:02:02' plain .
`;

/** A capability and a value are bytes, not text. */
const ODD_ATTRIBUTES = [
  [
    "plain/setuid",
    "security.capability",
    Buffer.from(`01000002${"80ff000000000000".repeat(2)}`, "hex"),
  ],
  ["plain/file", "user.odd", Buffer.from(Array.from({ length: 256 }, (_, i) => i))],
  ["plain", "trusted.on-directory", Buffer.from("yes")],
] as const;

/** Type, mode, owner, size, device, link count and target, time to the nanosecond, and content of everything. */
function describeTree(directory: string): string {
  const listing = execFileSync(
    "bash",
    [
      "-c",
      `find . -printf '%P|%y|%m|%U:%G|%l|%n|%T@|' \\( -type f -printf '%s' -exec sha256sum -- {} \\; -o -type d -printf '\\n' -o -type b -exec stat -c '%t:%T' {} \\; -o -type c -exec stat -c '%t:%T' {} \\; -o -printf '\\n' \\) | sort`,
    ],
    { cwd: directory, encoding: "latin1" },
  );
  expect(listing.split("\n").length).to.be.above(20);
  return listing;
}

describe("layer unpacking", () => {
  let directory: string;

  before(function () {
    if (process.getuid?.() !== 0) this.skip();
    directory = mkdtempSync(join(tmpdir(), "muster-layer-"));
    mkdirSync(join(directory, "tree"));
    execFileSync("bash", ["-c", ODD_TREE], { cwd: join(directory, "tree") });
    for (const [file, attribute, value] of ODD_ATTRIBUTES)
      setXattr(join(directory, "tree", file), attribute, value);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  const forms = [
    { name: "pax", options: ["--format=posix", "--xattrs", "--xattrs-include=*"], pack: "cat" },
    {
      name: "pax, gzip",
      options: ["--format=posix", "--xattrs", "--xattrs-include=*"],
      pack: "gzip -n",
    },
    {
      name: "pax, zstd",
      options: ["--format=posix", "--xattrs", "--xattrs-include=*"],
      pack: "zstd -q",
    },
    { name: "GNU", options: ["--format=gnu"], pack: "cat" },
  ];
  for (const { name, options, pack } of forms) {
    it(`makes the same tree as GNU tar: ${name}`, async function () {
      this.timeout(60_000);
      const key = name.replaceAll(/\W/g, "-");
      const tar = join(directory, `${key}.tar`);
      const theirs = join(directory, `theirs-${key}`);
      const ours = join(directory, `ours-${key}`);
      execFileSync("tar", [...options, "-C", join(directory, "tree"), "-cf", tar, "."]);
      mkdirSync(theirs);
      execFileSync("tar", [
        ...options,
        "-p",
        "--same-owner",
        "--numeric-owner",
        "--warning=no-timestamp",
        "-C",
        theirs,
        "-xf",
        tar,
      ]);
      // Not every machine has zstd; Debian has.
      const programs = join(await unpackPackages(["zstd"]), "usr/bin");
      const packed = execFileSync("sh", ["-c", `${pack} < ${tar}`], {
        env: { ...process.env, PATH: `${process.env.PATH}:${programs}` },
        maxBuffer: 2 ** 30,
      });
      writeFileSync(`${tar}.packed`, packed);
      const diffId = digestOfHex(createHash("sha256").update(readFileSync(tar)).digest("hex"));

      await unpackLayer(`${tar}.packed`, ours, diffId);

      expect(describeTree(ours)).to.equal(describeTree(theirs));
      for (const [file, attribute] of ODD_ATTRIBUTES)
        expect(findXattr(join(ours, file), attribute), attribute).to.deep.equal(
          findXattr(join(theirs, file), attribute),
        );
    });
  }
});
