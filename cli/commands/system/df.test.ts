import { expect } from "chai";
import { usageRows } from "./df.ts";

describe("system df", () => {
  it("counts what is used and what could go", () => {
    const rows = usageRows({
      LayersSize: 3_000_000,
      Images: [
        { Containers: 1, Size: 2_000_000, SharedSize: 1_000_000 },
        { Containers: 0, Size: 2_000_000, SharedSize: 1_000_000 },
      ],
      Containers: [
        { State: "running", SizeRw: 1000 },
        { State: "exited", SizeRw: 3000 },
      ],
      Volumes: [{ UsageData: { Size: 10, RefCount: 1 } }],
    });
    expect(rows.map((row) => Object.values(row).join(" | "))).to.deep.equal([
      "Images | 2 | 1 | 3MB | 2MB (67%)",
      "Containers | 2 | 1 | 4kB | 3kB (75%)",
      "Local Volumes | 1 | 1 | 10B | 0B (0%)",
      "Build Cache | 0 | 0 | 0B | 0B",
    ]);
  });

  it("has nothing to divide by on an empty node", () => {
    const rows = usageRows({ LayersSize: 0, Images: [], Containers: [], Volumes: [] });
    expect(rows[0]).to.include({ Size: "0B", Reclaimable: "0B" });
  });
});
