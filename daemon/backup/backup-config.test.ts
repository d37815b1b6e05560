import { expect } from "chai";
import { DEFAULT_BACKUP_CONFIG, readBackupConfig } from "./backup-config.ts";

const given = { ...DEFAULT_BACKUP_CONFIG, backupDir: "/b", backupPassphraseFile: "/p" };

describe("backup: configuration", () => {
  it("makes none unless a directory is set", () => {
    expect(readBackupConfig(DEFAULT_BACKUP_CONFIG)).to.equal(undefined);
    expect(readBackupConfig({ ...given, backupEvery: "15m", backupKeep: "3" })).to.deep.equal({
      dir: "/b",
      everyMs: 900_000,
      keep: 3,
      passphraseFile: "/p",
    });
  });

  for (const { name, config, message } of [
    { name: "no passphrase", config: { backupPassphraseFile: "" }, message: "needs --backup-pass" },
    { name: "a passphrase for nothing", config: { backupDir: "" }, message: "needs --backup-dir" },
    { name: "no time", config: { backupEvery: "often" }, message: "'often' must be like" },
    { name: "no time at all", config: { backupEvery: "0s" }, message: "'0s' must be like" },
    { name: "none kept", config: { backupKeep: "0" }, message: "'0' must be a number" },
    { name: "no number", config: { backupKeep: "all" }, message: "'all' must be a number" },
  ]) {
    it(`refuses ${name}`, () => {
      expect(() => readBackupConfig({ ...given, ...config })).to.throw(message);
    });
  }
});
