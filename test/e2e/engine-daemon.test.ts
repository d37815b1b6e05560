import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { type EngineHost, startEngineHost } from "../support/engine/engine-host.ts";
import { eventually } from "../support/eventually.ts";

const DONE_MS = 20_000;

describe("e2e: the daemon's configuration", function () {
  this.timeout(120_000);
  let host: EngineHost;

  before(async () => {
    host = await startEngineHost("e2edaemon");
    await host.node.kill("SIGKILL");
    host.node.flags = ["--config-file", file()];
    write({ labels: ["a=1"], "live-restore": true });
    await host.node.start();
  });
  after(async () => host?.close());

  const file = () => join(host.node.folder, "daemon.json");
  const write = (content: unknown) =>
    writeFileSync(file(), typeof content === "string" ? content : JSON.stringify(content));
  const info = (format: string) => host.mustDocker("info", "-f", format);
  const says = (words: string) =>
    eventually(
      `the log says: ${words}`,
      () => readFileSync(host.node.logFile, "utf8").includes(words),
      DONE_MS,
    );

  it("is read again on SIGHUP: what can change changes, what cannot is named", async () => {
    expect(await info("{{.Labels}}")).to.equal("[a=1]");
    const mirror = "https://mirror.example.test";
    const registries = { "registry-mirrors": [mirror], "insecure-registries": ["r.test:5000"] };
    write({ labels: ["a=2"], ...registries, "log-level": "debug", group: "other" });
    host.node.signal("SIGHUP");
    await eventually(
      "it has the new labels",
      async () => (await info("{{.Labels}}")) === "[a=2]",
      DONE_MS,
    );
    expect(await info("{{.RegistryConfig.Mirrors}}")).to.contain(mirror);
    expect(await info("{{.RegistryConfig.IndexConfigs}}")).to.contain("r.test:5000");
    await says('"settings":["group"]');
    const now = `${Math.ceil(Date.now() / 1000)}`;
    const events = ["events", "--since", "1", "--until", now, "--filter", "type=daemon"];
    expect(await host.mustDocker(...events)).to.match(/daemon reload .*labels/);
  });

  it("stays as it was when what is read is wrong", async () => {
    write('{"labels": 5}');
    host.node.signal("SIGHUP");
    await says("the configuration stays as it was");
    expect(await info("{{.Labels}}")).to.equal("[a=2]");
    expect(await host.mustDocker("ps", "-q")).to.equal("");
  });
});
