import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readConfig } from "./config.ts";

describe("daemon: configuration", () => {
  const folder = mkdtempSync(join(tmpdir(), "muster-config-"));
  after(() => rmSync(folder, { recursive: true }));

  function file(content: unknown): string {
    const path = join(folder, "daemon.json");
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
    return path;
  }

  it("takes dockerd's flags", () => {
    const config = readConfig(
      [
        "--data-root",
        "/d",
        "--exec-root=/e",
        "-H",
        "unix:///s",
        "-H",
        "tcp://127.0.0.1:1",
        "--label",
        "a=b",
        "-D",
      ],
      "1",
    );
    expect(config).to.include({
      dataRoot: "/d",
      execRoot: "/e",
      logLevel: "debug",
      pidFile: "/e/musterd.pid",
    });
    expect(config?.hosts).to.deep.equal(["unix:///s", "tcp://127.0.0.1:1"]);
    expect(config?.labels).to.deep.equal(["a=b"]);
  });

  it("takes dockerd's file and joins its lists with the flags'", () => {
    const path = file({ "data-root": "/f", labels: ["x=1"], "insecure-registries": ["r:5000"] });
    const config = readConfig(["--config-file", path, "--label", "y=2"], "1");
    expect(config).to.include({ dataRoot: "/f" });
    expect(config?.labels).to.deep.equal(["x=1", "y=2"]);
    expect(config?.insecureRegistries).to.deep.equal(["r:5000"]);
  });

  it("takes dockerd's settings of TLS, by flags and by the file", () => {
    const path = file({ tlsverify: true, tlscert: "/c", "userns-remap": "" });
    const config = readConfig(["--config-file", path, "--tlskey", "/k", "--tlscacert=/a"], "1");
    expect(config).to.include({ tls: false, tlsVerify: true });
    expect(config).to.include({ tlsCert: "/c", tlsKey: "/k", tlsCaCert: "/a" });
  });

  it("takes dockerd's settings of OCI runtimes, by flags and by the file", () => {
    const path = file({ "default-runtime": "kata", runtimes: { kata: { path: "/k" } } });
    const config = readConfig(["--config-file", path, "--add-runtime", "runsc=/r"], "1");
    expect(config?.defaultRuntime).to.equal("kata");
    expect(config?.runtimes).to.deep.equal(["kata=/k", "runsc=/r"]);
  });

  const refused: { name: string; argv: () => string[]; message: string }[] = [
    { name: "an unknown flag", argv: () => ["--bogus"], message: "unknown option '--bogus'" },
    {
      name: "a runtime without a path",
      argv: () => ["--add-runtime", "kata"],
      message: "runtime 'kata' must be a name and an absolute path",
    },
    {
      name: "a runtime with arguments",
      argv: () => [
        "--config-file",
        file({ runtimes: { kata: { path: "/k", runtimeArgs: ["-x"] } } }),
      ],
      message: "runtime kata: runtimeArgs is not supported",
    },
    { name: "an argument", argv: () => ["bogus"], message: "too many arguments" },
    {
      name: "a relative path",
      argv: () => ["--data-root", "d"],
      message: "path 'd' must be absolute",
    },
    { name: "an unknown level", argv: () => ["-l", "loud"], message: "log level 'loud'" },
    {
      name: "a label without value",
      argv: () => ["--label", "a"],
      message: "label 'a' must be key=value",
    },
    {
      name: "a missing file",
      argv: () => ["--config-file", "/nope"],
      message: "/nope: cannot be read (ENOENT)",
    },
    {
      name: "an unknown key",
      argv: () => ["--config-file", file({ bogus: 1 })],
      message: 'unknown key "bogus"',
    },
    {
      name: "a mapping of users",
      argv: () => ["--userns-remap", "default"],
      message: "userns-remap is not supported by this version of muster: users of containers",
    },
    {
      name: "a mapping of users in the file",
      argv: () => ["--config-file", file({ "userns-remap": "default" })],
      message: "userns-remap is not supported",
    },
    {
      name: "a text for a truth",
      argv: () => ["--config-file", file({ tlsverify: "yes" })],
      message: "tlsVerify must be true or false",
    },
    { name: "bad JSON", argv: () => ["--config-file", file("{")], message: "not valid JSON" },
    {
      name: "a wrong type",
      argv: () => ["--config-file", file({ labels: "a=b" })],
      message: "labels must be a list",
    },
    {
      name: "a value given twice",
      argv: () => ["--config-file", file({ "data-root": "/a" }), "--data-root", "/b"],
      message: "leave one out",
    },
  ];
  for (const { name, argv, message } of refused) {
    it(`refuses ${name}`, () => {
      const write = process.stderr.write;
      process.stderr.write = () => true;
      try {
        expect(() => readConfig(argv(), "1")).to.throw(message);
      } finally {
        process.stderr.write = write;
      }
    });
  }
});
