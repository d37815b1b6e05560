/** Of the first cgroup directory that has the file; version 1 or 2. */
const CGROUP = "cat /sys/fs/cgroup/$1/$2 /sys/fs/cgroup/$3 2>/dev/null | head -1";

/** What a container has by some flags, and how a script in it finds out. */
interface Case {
  readonly name: string;
  readonly flags: readonly string[];
  readonly script: string;
  readonly says: string | RegExp;
}

const cgroup = (controller: string, v1: string, v2: string) =>
  `set -- ${controller} ${v1} ${v2}; ${CGROUP}`;

export const RUN_CASES: readonly Case[] = [
  {
    name: "memory, processors and processes",
    flags: [...["-m", "32m", "--memory-reservation", "16m", "--cpus", "0.5", "--pids-limit", "33"]],
    script: [
      cgroup("memory", "memory.limit_in_bytes", "memory.max"),
      cgroup("memory", "memory.soft_limit_in_bytes", "memory.low"),
      cgroup("cpu", "cpu.cfs_quota_us", "cpu.max"),
      cgroup("pids", "pids.max", "pids.max"),
    ].join(";"),
    says: /^33554432\n16777216\n50000( 100000)?\n33$/,
  },
  {
    name: "shares, a set of processors, memory with swap",
    flags: ["--cpu-shares", "512", "--cpuset-cpus", "0", "-m", "32m", "--memory-swap", "48m"],
    script: [
      cgroup("cpu", "cpu.shares", "cpu.weight"),
      cgroup("cpuset", "cpuset.cpus", "cpuset.cpus"),
      cgroup("memory", "memory.memsw.limit_in_bytes", "memory.swap.max"),
    ].join(";"),
    says: /^(512|20)\n0\n(50331648|16777216)$/,
  },
  {
    name: "a quota and its period",
    flags: ["--cpu-period", "50000", "--cpu-quota", "25000"],
    script: cgroup("cpu", "cpu.cfs_quota_us", "cpu.max"),
    says: /^25000( 50000)?$/,
  },
  {
    name: "capabilities added and dropped",
    flags: ["--cap-drop", "ALL", "--cap-add", "KILL"],
    script: "grep CapBnd /proc/self/status",
    says: "CapBnd:\t0000000000000020",
  },
  {
    name: "no new privileges, and the standard filter of system calls",
    flags: ["--security-opt", "no-new-privileges"],
    script: "grep -E 'NoNewPrivs|Seccomp:' /proc/self/status",
    says: "NoNewPrivs:\t1\nSeccomp:\t2",
  },
  {
    name: "no filter",
    flags: ["--security-opt", "seccomp=unconfined"],
    script: "grep Seccomp: /proc/self/status",
    says: "Seccomp:\t0",
  },
  {
    name: "all privileges",
    flags: ["--privileged"],
    script:
      "grep Seccomp: /proc/self/status; test -c /dev/kmsg && echo kmsg; echo 1 > /proc/sys/kernel/printk_delay 2>&1 || echo ro; echo 0 > /proc/sys/kernel/printk_delay",
    says: "Seccomp:\t0\nkmsg",
  },
  {
    name: "a read-only root with a tmpfs that has options",
    flags: ["--read-only", "--tmpfs", "/t:rw,size=1m,exec,mode=700"],
    script: "touch /x 2>&1; grep ' /t ' /proc/mounts",
    says: /Read-only file system\ntmpfs \/t tmpfs rw,nosuid,nodev,relatime,size=1024k,mode=700/,
  },
  {
    name: "ulimits and the size of /dev/shm",
    flags: ["--ulimit", "nofile=100:200", "--ulimit", "core=0", "--shm-size", "1m"],
    script: "ulimit -Sn; ulimit -Hn; ulimit -c; grep ' /dev/shm ' /proc/mounts",
    says: /^100\n200\n0\nshm \/dev\/shm tmpfs .*size=1024k/,
  },
  {
    name: "kernel settings, host name, domain name",
    flags: [
      ...["--sysctl", "net.ipv4.ip_forward=1", "--sysctl", "kernel.msgmax=9000"],
      ...["--hostname", "named", "--domainname", "example.test"],
    ],
    script:
      "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax /proc/sys/kernel/hostname /proc/sys/kernel/domainname",
    says: "1\n9000\nnamed\nexample.test",
  },
  {
    name: "names of hosts and of the name servers",
    flags: [
      ...["--add-host", "db:192.0.2.7", "--dns", "192.0.2.53"],
      ...["--dns-search", "a.test", "--dns-option", "ndots:2"],
    ],
    script: "grep db /etc/hosts; cat /etc/resolv.conf",
    says: /^192\.0\.2\.7\tdb\n(.*\n)*nameserver 192\.0\.2\.53\nsearch a\.test\noptions ndots:2$/,
  },
  {
    name: "a device under another name, which may only be read",
    flags: ["--device", "/dev/zero:/dev/nil:r"],
    script: "head -c 2 /dev/nil | wc -c; ls -l /dev/nil | cut -c1",
    says: "2\nc",
  },
  {
    name: "a user, groups, a directory, an environment",
    flags: ["-u", "33:34", "--group-add", "50", "-w", "/tmp", "-e", "A=b", "-l", "x=y"],
    script: "id -u; id -g; id -G; pwd; echo $A",
    says: "33\n34\n34 50\n/tmp\nb",
  },
  {
    name: "the host's processes",
    flags: ["--pid", "host"],
    script: "ls -d /proc/1 /proc/2 2>/dev/null | wc -l; grep -c . /proc/1/comm",
    says: /^[12]\n1$/,
  },
  {
    name: "the host's name",
    flags: ["--uts", "host"],
    script: "cat /proc/sys/kernel/hostname",
    says: "h1",
  },
  {
    name: "the mark of a container, its mounts where programs look, its own group among its groups",
    flags: ["-u", "7:8"],
    script: "ls -d /.dockerenv; readlink /etc/mtab; grep Groups: /proc/self/status",
    says: /^\/\.dockerenv\n\/proc\/mounts\nGroups:\t8$/,
  },
  {
    name: "files of ours that are read-only with the rest",
    flags: ["--read-only"],
    script: "grep -o ' /etc/[a-z.]* [a-z0-9]* r[ow]' /proc/mounts | cut -d' ' -f4 | sort -u",
    says: "ro",
  },
  {
    name: "the host's queues",
    flags: ["--ipc", "host"],
    script: "grep -c ' /dev/mqueue mqueue ' /proc/mounts",
    says: "1",
  },
  {
    name: "an init that takes the dead away",
    flags: ["--init"],
    script: "cat /proc/1/comm",
    says: /init|tini|catatonit/,
  },
  {
    name: "no masked paths",
    flags: ["--security-opt", "systempaths=unconfined"],
    script: "grep -c ' /proc/sys ' /proc/mounts; true",
    says: "0",
  },
  {
    name: "a score for the out-of-memory killer",
    flags: ["--oom-score-adj", "500"],
    script: "cat /proc/self/oom_score_adj",
    says: "500",
  },
];
