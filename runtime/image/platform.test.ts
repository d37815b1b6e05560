import { expect } from "chai";
import { digestOfHex } from "./digest.ts";
import type { IndexEntry } from "./manifest.ts";
import { formatPlatform, platformOf, selectPlatform } from "./platform.ts";

/** `linux/arm/v7`; `-`: none. */
function entryOf(text: string, i: number): IndexEntry {
  const [os = "", architecture = "", variant = ""] = text.split("/");
  const platform = text === "-" ? undefined : { os, architecture, variant };
  const digest = digestOfHex(String(i).padStart(64, "0"));
  return { mediaType: "", digest, sizeBytes: 0, platform, annotations: {} };
}

describe("image platform", () => {
  const cases = [
    { machine: "x64", offers: ["linux/arm64", "linux/amd64"], chosen: "linux/amd64" },
    { machine: "x64", offers: ["linux/amd64/v3", "linux/amd64"], chosen: "linux/amd64" },
    { machine: "x64", offers: ["windows/amd64", "linux/386"], chosen: "linux/386" },
    { machine: "arm64", offers: ["linux/arm/v7", "linux/arm64"], chosen: "linux/arm64" },
    { machine: "arm64", offers: ["linux/arm64/v8"], chosen: "linux/arm64/v8" },
    { machine: "arm64", offers: ["linux/arm/v5", "linux/arm/v7"], chosen: "linux/arm/v7" },
    { machine: "arm", offers: ["linux/arm64", "linux/arm/v6"], chosen: "linux/arm/v6" },
    { machine: "riscv64", offers: ["-", "linux/riscv64"], chosen: "linux/riscv64" },
  ];
  for (const { machine, offers, chosen } of cases) {
    it(`chooses ${chosen} of ${offers.join(", ")} for ${machine}`, () => {
      const { platform } = selectPlatform(offers.map(entryOf), platformOf(machine));
      expect(platform && formatPlatform(platform)).to.equal(chosen);
    });
  }

  it("says what there is when nothing fits", () => {
    const entries = ["linux/arm64", "unknown/unknown", "-"].map(entryOf);
    expect(() => selectPlatform(entries, platformOf("x64")))
      .to.throw("no image for linux/amd64; there is linux/arm64, unknown/unknown")
      .with.property("code", "NotFound");
  });
});
