import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { silentLog } from "../../core/log.ts";
import type { BackupHeader } from "../../manager/backup/backup-file.ts";
import { eventually } from "../../test/support/eventually.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { PeriodicBackups } from "./periodic.ts";

const EVERY_MS = 60_000;

describe("backup: now and then", () => {
  const clock = new FakeClock();
  let dir: string;
  let leads: boolean;
  let failure: Error | undefined;
  let periodic: PeriodicBackups;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "muster-backups-"));
    writeFileSync(join(dir, "passphrase"), "correct horse battery\n");
    leads = true;
    failure = undefined;
    const begin = async (passphrase: string) => {
      const header = { clusterId: "abc", createdAtMs: clock.nowMs() } as BackupHeader;
      async function* bytes(): AsyncGenerator<Uint8Array> {
        yield Buffer.from("sealed with ");
        if (failure !== undefined) throw failure;
        yield Buffer.from(passphrase);
      }
      return { header, bytes: bytes() };
    };
    const options = { dir, everyMs: EVERY_MS, keep: 2, passphraseFile: join(dir, "passphrase") };
    const parts = { backups: { begin }, leads: () => leads, clock, log: silentLog };
    periodic = new PeriodicBackups(options, parts);
  });
  afterEach(async () => {
    await periodic.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const all = () => readdirSync(dir).filter((name) => name !== "passphrase");
  /** A file that is being written has another name. */
  const files = () => all().filter((name) => name.endsWith(".backup"));
  const turn = async (until: string, holds: () => boolean) => {
    await eventually(until, async () => {
      await clock.advance(EVERY_MS / 4);
      return holds();
    });
  };

  it("writes whole files and keeps as many as it should", async () => {
    await turn("the first is there", () => files().length === 1);
    expect(readFileSync(join(dir, files()[0] ?? ""), "utf8")).to.equal(
      "sealed with correct horse battery",
    );
    const [oldest = ""] = files();
    await turn("the second is there", () => files().length === 2);
    await turn("the oldest is gone", () => files().length === 2 && !files().includes(oldest));
    await periodic.close();
    expect(all()).to.have.length(2).and.to.deep.equal(files());
  });

  it("shows a failure until the next succeeds, and leaves no part of a file", async () => {
    failure = new Error("ENOSPC");
    await turn("the failure shows", () => periodic.failure !== "");
    expect(periodic.failure).to.contain(dir).and.to.contain("ENOSPC");
    expect(all()).to.deep.equal([]);
    failure = undefined;
    await turn("the next one succeeds", () => periodic.failure === "" && files().length === 1);
  });

  it("leaves it to the manager that leads", async () => {
    leads = false;
    await clock.advance(3 * EVERY_MS);
    expect(files()).to.deep.equal([]);
    leads = true;
    await turn("it leads now", () => files().length === 1);
  });
});
