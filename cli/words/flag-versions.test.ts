import { expect } from "chai";
import type { Context } from "../context.ts";
import { newProgram } from "../program.ts";
import { NEWER_FLAGS, versionOfFlag } from "./flag-versions.ts";

describe("flags that need a version", () => {
  it("are those of the verb, typed with its group or without", () => {
    expect(versionOfFlag("stop", "signal")).to.equal("1.42");
    expect(versionOfFlag("container stop", "signal")).to.equal("1.42");
    expect(versionOfFlag("image push", "platform")).to.equal("1.46");
    expect(versionOfFlag("image rm", "platform")).to.equal("1.50");
    expect(versionOfFlag("pull", "platform")).to.equal(undefined);
    expect(versionOfFlag("network create", "platform")).to.equal(undefined);
  });

  it("are flags that muster has", async () => {
    const silent = { print: () => {}, warn: () => {} } as unknown as Context;
    const program = await newProgram(silent, "0", () => {});
    for (const { flag, verbs } of NEWER_FLAGS)
      for (const path of verbs) {
        let verb: typeof program | undefined = program;
        for (const name of path.split(" "))
          verb = verb?.commands.find((one) => one.name() === name || one.aliases().includes(name));
        expect(
          verb?.options.map((option) => option.long),
          path,
        ).to.include(`--${flag}`);
      }
  });
});
