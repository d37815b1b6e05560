import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { clusterFolder } from "../support/cluster/remove-cluster.ts";
import { eventually } from "../support/eventually.ts";

const NAME = "undertest";
const SUPPORT = join(import.meta.dirname, "../support");
/** Makes a lab, says so, and waits for ever. */
const SCRIPT = `
  import { hireUndertaker } from "${SUPPORT}/cluster/undertaker.ts";
  import { createLab } from "${SUPPORT}/lab/lab.ts";
  await hireUndertaker("${NAME}");
  await createLab({ name: "${NAME}", hosts: 1 });
  process.stdout.write("made");
  setInterval(() => undefined, 1000);
`;

describe("test clusters: the undertaker", function () {
  this.timeout(60_000);

  before(function () {
    if (process.getuid?.() !== 0) this.skip();
  });

  it("removes the cluster of a process that was killed", async () => {
    const folder = clusterFolder(NAME);
    mkdirSync(join(folder, "h1"), { recursive: true });
    const command = ["--import", "tsx", "--input-type=module", "-e", SCRIPT];
    const maker = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "inherit"] });
    try {
      await once(maker.stdout, "data");
      expect(existsSync(`/run/netns/${NAME}-h1`)).to.equal(true);
    } finally {
      maker.kill("SIGKILL");
    }
    const left = () => [folder, `/run/netns/${NAME}-h1`, `/run/muster-lab/${NAME}`];
    await eventually("all of it is gone", () => !left().some((path) => existsSync(path)), 30_000);
  });
});
