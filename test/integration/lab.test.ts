import { existsSync } from "node:fs";
import { assert } from "chai";
import { eventually } from "../support/eventually.ts";
import { createLab, type Lab } from "../support/lab/lab.ts";

describe("lab: hosts on one machine", function () {
  this.timeout(30_000);
  let lab: Lab;

  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    lab = await createLab({ name: "labtest", hosts: 3 });
  });
  after(async () => {
    await lab?.close();
    assert.isFalse(existsSync("/run/netns/labtest-switch"));
    assert.isFalse(existsSync("/run/muster-lab/labtest"));
  });

  async function reaches(from: number, to: number): Promise<boolean> {
    const [source, target] = [lab.hosts[from], lab.hosts[to]];
    if (source === undefined || target === undefined) throw new Error("no such host");
    const result = await lab.exec(source, ["busybox", "nc", "-w", "1", target.ip, "1"]);
    // Nobody listens: a refusal comes from the other host, silence from nowhere.
    return result.stderr.includes("refused");
  }

  it("gives every host its own name and a way to the others", async () => {
    const [first] = lab.hosts;
    if (first === undefined) throw new Error("no host");
    assert.equal((await lab.exec(first, ["hostname"])).stdout, "h1\n");
    assert.isTrue(await reaches(0, 1));
    assert.isTrue(await reaches(2, 0));
  });

  it("pulls and plugs a cable", async () => {
    const [first] = lab.hosts;
    if (first === undefined) throw new Error("no host");
    await lab.pullCable(first);
    assert.isFalse(await reaches(1, 0));
    assert.isTrue(await reaches(1, 2));
    await lab.plugCable(first);
    await eventually("h1 answers again", () => reaches(1, 0));
  });

  it("loses packets one way", async () => {
    const [first, second] = lab.hosts;
    if (first === undefined || second === undefined) throw new Error("no host");
    await lab.drop(first, second);
    assert.isFalse(await reaches(0, 1));
    assert.isTrue(await reaches(0, 2));
    await lab.undrop(first, second);
    assert.isTrue(await reaches(0, 1));
  });

  it("replaces what a crashed run of the same name left", async () => {
    const again = await createLab({ name: "labtest", hosts: 3 });
    assert.deepEqual(again.hosts, lab.hosts);
    assert.isTrue(await reaches(0, 1));
  });
});
