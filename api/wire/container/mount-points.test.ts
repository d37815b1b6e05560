import { expect } from "chai";
import type { MountFacts } from "../../backends/containers.ts";
import { NO_MOUNT } from "./bind-text.ts";
import { writeMountPoints } from "./mount-points.ts";

const volume = (target: string, changes: Partial<MountFacts> = {}): MountFacts => ({
  ...{ ...NO_MOUNT, source: "v", hostPath: "/volumes/v/_data", target },
  ...changes,
});

describe("wire: mounts that a container has", () => {
  const write = (client: object, ...mounts: MountFacts[]) =>
    writeMountPoints({ mounts, settings: { client: { ...client } } });

  it("say all of a volume, and the mode as it was asked for", () => {
    const client = { Binds: ["v:/a", "v:/b:ro,nocopy"], Mounts: [{ Target: "/c/" }], Volumes: {} };
    const mounts = ["/a", "/b", "/c", "/from-image"].map((target) => volume(target));
    const modes = write(client, ...mounts).map(({ Mode }) => Mode);
    expect(modes).to.deep.equal(["z", "ro,nocopy", "z", ""]);
    expect(write({}, volume("/a", { readOnly: true }))).to.deep.equal([
      {
        ...{ Type: "volume", Name: "v", Source: "/volumes/v/_data", Destination: "/a" },
        ...{ Driver: "local", Mode: "z", RW: false, Propagation: "" },
      },
    ]);
  });

  it("say where a bind leads and how", () => {
    const bind = volume("/a", { type: "bind", hostPath: "/src" });
    const point = { Type: "bind", Source: "/src", Destination: "/a", RW: true };
    expect(write({ Binds: ["/src:/a:z"] }, bind)).to.deep.equal([
      { ...point, Mode: "z", Propagation: "rprivate" },
    ]);
    expect(write({ Mounts: [{ Target: "/a" }] }, { ...bind, propagation: "shared" })).to.deep.equal(
      [{ ...point, Mode: "", Propagation: "shared" }],
    );
  });

  it("are none for --tmpfs, which is shown elsewhere", () => {
    const tmpfs = volume("/t", { type: "tmpfs", hostPath: "" });
    expect(write({ Tmpfs: { "/t/": "" } }, tmpfs)).to.deep.equal([]);
    const point = { Type: "tmpfs", Source: "", Destination: "/t", Mode: "", RW: true };
    expect(write({ Mounts: [{ Target: "/t" }] }, tmpfs)).to.deep.equal([
      { ...point, Propagation: "" },
    ]);
  });
});
