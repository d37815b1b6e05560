import { expect } from "chai";
import type { WireInfo } from "../../client/wire.ts";
import { prettyInfo } from "./info.ts";

describe("info", () => {
  it("is shown as docker shows it", () => {
    const info: WireInfo = {
      ...{ Name: "h1", ID: "id", Containers: 3, ContainersRunning: 2, ContainersPaused: 0 },
      ...{ ContainersStopped: 1, Images: 4, ServerVersion: "0.1.0", Driver: "overlayfs" },
      ...{ DriverStatus: [["Backing store", "/d"]], LoggingDriver: "json-file", MemTotal: 2 ** 30 },
      ...{ CgroupDriver: "cgroupfs", CgroupVersion: "2", Runtimes: { runc: {} } },
      Plugins: { Volume: ["local"], Network: ["bridge", "host"], Authorization: null, Log: [] },
      ...{ SecurityOptions: ["name=seccomp,profile=builtin"], DefaultRuntime: "runc", NCPU: 2 },
      ...{ KernelVersion: "6.1", OperatingSystem: "Debian", OSType: "linux", Architecture: "x86" },
      ...{
        DockerRootDir: "/d",
        Labels: ["a=b"],
        ExperimentalBuild: false,
        LiveRestoreEnabled: true,
      },
      Swarm: { NodeID: "", NodeAddr: "", LocalNodeState: "inactive", ControlAvailable: false },
    };
    expect(prettyInfo(info, "0.1.0").split("\n")).to.deep.equal([
      ...["Client:", " Version: 0.1.0", "", "Server:", " Containers: 3", "  Running: 2"],
      ...["  Paused: 0", "  Stopped: 1", " Images: 4", " Server Version: 0.1.0"],
      ...[" Storage Driver: overlayfs", "  Backing store: /d", " Logging Driver: json-file"],
      ...[" Cgroup Driver: cgroupfs", " Cgroup Version: 2", " Plugins:", "  Volume: local"],
      ...[
        "  Network: bridge host",
        " Swarm: inactive",
        " Runtimes: runc",
        " Default Runtime: runc",
      ],
      ...[" Security Options:", "  seccomp", "   Profile: builtin", " Kernel Version: 6.1"],
      ...[" Operating System: Debian", " OSType: linux", " Architecture: x86", " CPUs: 2"],
      ...[" Total Memory: 1GiB", " Name: h1", " ID: id", " Docker Root Dir: /d", " Labels:"],
      ...["  a=b", " Experimental: false", " Live Restore Enabled: true", ""],
    ]);
  });
});
