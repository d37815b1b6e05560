import { expect } from "chai";
import { type DaemonConfig, DEFAULT_CONFIG } from "./config.ts";
import { planReload } from "./reload.ts";

describe("daemon: a configuration read again", () => {
  const CASES: readonly [string, Partial<DaemonConfig>, string[], string[]][] = [
    ["that says the same changes nothing", { labels: [] }, [], []],
    ["changes the level of the log", { logLevel: "debug" }, ["logLevel"], []],
    [
      "changes labels and registries",
      { labels: ["a=b"], insecureRegistries: ["r"], registryMirrors: ["https://m"] },
      ["labels", "insecureRegistries", "registryMirrors"],
      [],
    ],
    [
      "leaves the rest for the next start",
      { dataRoot: "/x", hosts: ["tcp://h"] },
      [],
      ["dataRoot", "hosts"],
    ],
  ];
  for (const [name, change, changed, waiting] of CASES)
    it(name, () => {
      const read = { ...DEFAULT_CONFIG, ...change };
      const reload = planReload(DEFAULT_CONFIG, read);
      expect([...reload.changed].sort()).to.deep.equal([...changed].sort());
      expect([...reload.waiting].sort()).to.deep.equal([...waiting].sort());
      const kept = Object.fromEntries(
        waiting.map((key) => [key, DEFAULT_CONFIG[key as keyof DaemonConfig]]),
      );
      expect(reload.config).to.deep.equal({ ...read, ...kept });
    });
});
