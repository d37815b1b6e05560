import { expect } from "chai";
import { prettyVersion } from "./version.ts";

describe("version", () => {
  const client = {
    ...{ Version: "0.1.0", ApiVersion: "1.51", DefaultAPIVersion: "1.51" },
    ...{ Os: "linux", Arch: "amd64" },
  };
  const own = [
    ...["Client: Muster", " Version:           0.1.0", " API version:       1.51"],
    " OS/Arch:           linux/amd64",
  ];
  it("is shown of both ends", () => {
    const server = {
      ...client,
      Platform: { Name: "Muster" },
      Components: [
        { Name: "Engine", Version: "0.1.0" },
        { Name: "crun", Version: "1.8" },
      ],
      ...{ MinAPIVersion: "1.24", GitCommit: "abc", KernelVersion: "6.1" },
    };
    expect(prettyVersion(client, server).split("\n")).to.deep.equal([
      ...[...own, "", "Server: Muster", " Engine:", "  Version:          0.1.0"],
      ...["  API version:      1.51 (minimum version 1.24)", "  Git commit:       abc"],
      ...["  OS/Arch:          linux/amd64", "  Kernel:           6.1"],
      ...[" crun:", "  Version:          1.8", ""],
    ]);
  });
  it("says that an older one is spoken, and of a daemon what it tells", () => {
    const server = { ...client, MinAPIVersion: "1.12", GitCommit: "", KernelVersion: "6.1" };
    const text = prettyVersion({ ...client, ApiVersion: "1.41" }, server);
    expect(text).to.contain(" API version:       1.41 (downgraded from 1.51)\n");
    expect(text).to.contain("\nServer:\n Engine:\n");
    expect(text).not.to.contain("commit");
  });
  it("is shown of ours alone where there is no daemon", () =>
    expect(prettyVersion(client, undefined).split("\n")).to.deep.equal([...own, ""]));
});
