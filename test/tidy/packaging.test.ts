import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { DEFAULT_CONFIG, FILE_KEYS, readConfig } from "../../daemon/config.ts";

const FOLDER = join(import.meta.dirname, "../../packaging");
const ANALYZE = "/usr/bin/systemd-analyze";

interface Property {
  readonly type?: "string" | "array" | "boolean" | "object";
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly default?: unknown;
  readonly description: string;
}

describe("packaging: the schema of the configuration", () => {
  const schema = JSON.parse(readFileSync(join(FOLDER, "daemon.schema.json"), "utf8")) as {
    readonly additionalProperties: boolean;
    readonly properties: Readonly<Record<string, Property>>;
  };
  const folder = mkdtempSync(join(tmpdir(), "muster-schema-"));
  after(() => rmSync(folder, { recursive: true }));

  /** Why the daemon does not take a file with one setting; empty: it does, or wants more settings beside it. */
  function refusal(key: string, value: unknown): string {
    const path = join(folder, "daemon.json");
    writeFileSync(path, JSON.stringify({ [key]: value }));
    try {
      readConfig(["--config-file", path], "1");
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  }

  it("has every setting of the daemon and no other", () => {
    const known = [...Object.keys(FILE_KEYS), "debug", "live-restore", "userns-remap"];
    expect(Object.keys(schema.properties).sort()).to.deep.equal(known.sort());
    expect(schema.additionalProperties).to.equal(false);
  });

  for (const [key, property] of Object.entries(schema.properties)) {
    it(`${key}: takes what the daemon takes, refuses what it refuses`, () => {
      const { type, const: only, default: standard } = property;
      const choices = property.enum ?? (only === undefined ? [] : [only]);
      const text = key.endsWith("-root") ? "/x" : (standard ?? "1");
      const samples = {
        string: [text],
        array: [["a=b"]],
        boolean: [true, false],
        object: [{}, { a: { path: "/b" } }],
      };
      const good = type === undefined ? choices : samples[type];
      for (const value of good)
        expect(refusal(key, value)).to.not.match(/must be|unknown key|not supported/);
      const bad = [
        5,
        { a: 1 },
        ...(type === "boolean" ? [] : [true]),
        ...(type === "array" ? [] : [[]]),
      ];
      for (const value of bad) expect(refusal(key, value), JSON.stringify(value)).to.not.equal("");
      const setting = FILE_KEYS[key];
      if (setting !== undefined && standard !== undefined)
        expect(standard).to.equal(DEFAULT_CONFIG[setting]);
      expect(property.description).to.match(/\.$/);
    });
  }
});

describe("packaging: units of systemd", () => {
  const unit = (name: string) => readFileSync(join(FOLDER, "systemd", name), "utf8");
  const lines = (name: string) => unit(name).split("\n");

  const WANTED: readonly [string, string, string][] = [
    ["musterd.service", "Type=notify", "started means that the API answers"],
    ["musterd.service", "ExecReload=/bin/kill -s HUP $MAINPID", "reload reads the configuration"],
    ["musterd.service", "KillMode=process", "containers live on"],
    ["musterd.service", "Delegate=yes", "control groups of containers are ours to make"],
    ["musterd.service", "Restart=always", "a crash is over soon"],
    ["musterd.service", "LimitNOFILE=1048576", "each container and port costs descriptors"],
    ["musterd.socket", "ListenStream=/run/muster/muster.sock", "clients look there"],
    ["musterd.socket", "SocketMode=0660", "nobody else gets in"],
    ["musterd.socket", "SocketGroup=muster", "the group gets in"],
  ];
  for (const [name, line, why] of WANTED)
    it(`${name}: ${line}: ${why}`, () => expect(lines(name)).to.include(line));

  it("are sound, as systemd sees it", function () {
    if (!existsSync(ANALYZE)) this.skip();
    const folder = mkdtempSync(join(tmpdir(), "muster-units-"));
    try {
      const names = ["musterd.service", "musterd.socket"];
      // The program is not installed here.
      for (const name of names)
        writeFileSync(join(folder, name), unit(name).replace("/usr/bin/musterd", process.execPath));
      const paths = names.map((name) => join(folder, name));
      const said = execFileSync(ANALYZE, ["verify", "--man=no", ...paths], { stdio: "pipe" });
      expect(said.toString()).to.equal("");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
