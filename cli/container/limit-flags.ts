import { parseUlimit } from "../flags/parse.ts";
import { parseBytes, parseCount, parseCpus } from "../flags/units.ts";
import { add, type ContainerFlag, host, once, set, toggle } from "./flag.ts";
import { parseInteger, parseLimit, parseRate, parseRestart, parseWeight } from "./values.ts";

const count = (name: string) => (text: string) => parseCount(name, text);

/** Those that `update` has too. */
export const UPDATE_FLAGS: readonly ContainerFlag[] = [
  set("--blkio-weight <n>", "Its weight among disks: 10 to 1000", host, "BlkioWeight", (text) =>
    parseCount("blkio-weight", text),
  ),
  set("--cpu-period <us>", "Of its share of time", host, "CpuPeriod", parseInteger("cpu-period")),
  set("--cpu-quota <us>", "Time in a period", host, "CpuQuota", parseInteger("cpu-quota")),
  set(
    "--cpu-rt-period <us>",
    "The same of real time",
    host,
    "CpuRealtimePeriod",
    parseInteger("cpu-rt-period"),
  ),
  set(
    "--cpu-rt-runtime <us>",
    "Real time in a period",
    host,
    "CpuRealtimeRuntime",
    parseInteger("cpu-rt-runtime"),
  ),
  set("-c, --cpu-shares <n>", "Its weight", host, "CpuShares", count("cpu-shares")),
  set("--cpus <cpus>", "CPUs it may use", host, "NanoCpus", parseCpus),
  set("--cpuset-cpus <cpus>", "Where it may run: 0-2,7", host, "CpusetCpus"),
  set("--cpuset-mems <nodes>", "Whose memory it may use: 0-1", host, "CpusetMems"),
  set("-m, --memory <bytes>", "Memory it may use", host, "Memory", parseBytes),
  set(
    "--memory-reservation <bytes>",
    "Memory it keeps in need",
    host,
    "MemoryReservation",
    parseBytes,
  ),
  set("--memory-swap <bytes>", "Memory and swap; -1: any", host, "MemorySwap", parseLimit),
  set(
    "--pids-limit <n>",
    "Processes it may have; -1: any",
    host,
    "PidsLimit",
    parseInteger("pids-limit"),
  ),
  set(
    "--restart <policy>",
    "no, always, unless-stopped, on-failure[:n]",
    host,
    "RestartPolicy",
    parseRestart,
  ),
];

/** What it may use of the machine. */
export const LIMIT_FLAGS: readonly ContainerFlag[] = [
  ...UPDATE_FLAGS,
  add(
    "--blkio-weight-device <path:weight>",
    "Its weight at one disk",
    host,
    "BlkioWeightDevice",
    parseWeight,
  ),
  ...(["read", "write"] as const).flatMap((verb) => {
    const Verb = verb === "read" ? "Read" : "Write";
    const bps = `BlkioDevice${Verb}Bps`;
    const iops = `BlkioDevice${Verb}IOps`;
    return [
      add(`--device-${verb}-bps <path:rate>`, `Bytes a second to ${verb}`, host, bps, (text) =>
        parseRate(text, parseBytes),
      ),
      add(`--device-${verb}-iops <path:rate>`, `Times a second to ${verb}`, host, iops, (text) =>
        parseRate(text, count("rate")),
      ),
    ];
  }),
  once("--memory-swappiness <percent>", "How readily it is swapped; -1: as usual", (body, text) => {
    const percent = parseInteger("memory-swappiness")(text);
    if (percent !== -1) host(body).MemorySwappiness = percent;
  }),
  set(
    "--kernel-memory <bytes>",
    "Kernels have no such limit now",
    host,
    "KernelMemory",
    parseBytes,
  ),
  toggle("--oom-kill-disable", "Let it wait for memory", host, "OomKillDisable"),
  set("--oom-score-adj <n>", "-1000 to 1000", host, "OomScoreAdj", parseInteger("oom-score-adj")),
  set("--shm-size <bytes>", "Of /dev/shm", host, "ShmSize", parseBytes),
  add("--ulimit <name=soft[:hard]>", "A limit of its processes", host, "Ulimits", parseUlimit),
  set("--cgroup-parent <path>", "Where its control group is made", host, "CgroupParent"),
  set("--cpu-count <n>", "Windows only", host, "CpuCount", count("cpu-count")),
  set("--cpu-percent <n>", "Windows only", host, "CpuPercent", count("cpu-percent")),
  set("--io-maxbandwidth <bytes>", "Windows only", host, "IOMaximumBandwidth", parseBytes),
  set("--io-maxiops <n>", "Windows only", host, "IOMaximumIOps", count("io-maxiops")),
];
