import { expect } from "chai";
import { formatBar, writeProgress } from "./progress.ts";

const line = { id: "", status: "", currentBytes: 0, totalBytes: 0 };

describe("progress on the wire", () => {
  it("is Docker's", () => {
    const pulling = { ...line, id: "latest", status: "Pulling from library/busybox" };
    expect(writeProgress(pulling)).to.deep.equal({ status: pulling.status, id: "latest" });
    expect(writeProgress({ ...line, status: "Digest: x" })).to.deep.equal({ status: "Digest: x" });
    expect(writeProgress({ ...line, id: "a", status: "Pulling fs layer" })).to.deep.equal({
      status: "Pulling fs layer",
      progressDetail: {},
      id: "a",
    });
    const some = { id: "a", status: "Downloading", currentBytes: 1024, totalBytes: 2048 };
    expect(writeProgress(some)).to.deep.equal({
      status: "Downloading",
      progressDetail: { current: 1024, total: 2048 },
      progress: "[=========================>                         ]  1.024kB/2.048kB",
      id: "a",
    });
    const unknown = { ...line, status: "Downloading", currentBytes: 25 };
    expect(writeProgress(unknown)).to.deep.equal({
      status: "Downloading",
      progressDetail: { current: 25 },
      progress: "     25B",
    });
    const pushed = { tag: "v1", digest: "sha256:1", sizeBytes: 528 };
    expect(writeProgress({ ...line, pushed })).to.deep.equal({
      progressDetail: {},
      aux: { Tag: "v1", Digest: "sha256:1", Size: 528 },
    });
  });

  it("draws a bar also where more came than was to come", () => {
    expect(formatBar(3000, 1000)).to.equal(`[${"=".repeat(50)}>]      3kB`);
    expect(formatBar(0, 1_500_000)).to.equal(`[>${" ".repeat(50)}]       0B/1.5MB`);
  });
});
