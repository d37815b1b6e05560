import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  createNamespace,
  prepareNamespaceDirectory,
  removeNamespace,
  removeNamespaceDirectory,
} from "../../runtime/linux/netns.ts";
import { Nftables } from "../../runtime/linux/nftables.ts";

const TRANSACTIONS = 100;

describe("linux: nftables while signals come", function () {
  this.timeout(30_000);
  const directory = join(mkdtempSync(join(tmpdir(), "muster-nft-")), "netns");
  const path = join(directory, "signals");
  const ignore = () => undefined;
  let sender: ChildProcess;

  before(async () => {
    prepareNamespaceDirectory(directory);
    process.on("SIGUSR2", ignore);
    const script = `console.log(); for (;;) process.kill(${process.pid}, "SIGUSR2")`;
    sender = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    if (sender.stdout !== null) await once(sender.stdout, "data");
  });
  after(async () => {
    const ended = once(sender, "exit");
    sender.kill("SIGKILL");
    await ended;
    process.removeListener("SIGUSR2", ignore);
    removeNamespace(path);
    removeNamespaceDirectory(directory);
    rmSync(join(directory, ".."), { recursive: true });
  });

  it("makes every transaction, and says so", () => {
    const nft = createNamespace(path, () => new Nftables());
    for (let i = 0; i < TRANSACTIONS; i++) nft.run(`add table ip t${i}; add chain ip t${i} c`);
    expect(nft.run("list tables").trim().split("\n").length).to.equal(TRANSACTIONS);
    nft.close();
  });
});
