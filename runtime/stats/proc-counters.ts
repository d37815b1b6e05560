import type { InterfaceCounters } from "./types.ts";

/** Numbers from /proc: pure readers of its text. */

const NS_PER_TICK = 10_000_000;
/** user, nice, system, idle, iowait, irq, softirq: what Docker adds up, so that its clients' percentages are right. */
const TIMES_COUNTED = 7;

/** The machine's processor time since it was started, from /proc/stat. Source: proc(5); moby, getSystemCPUUsage. */
export function parseSystemCpu(text: string): { readonly nanos: number; readonly cpus: number } {
  const [, all = ""] = /^cpu +(.*)$/m.exec(text) ?? [];
  const times = all.trim().split(/ +/).slice(0, TIMES_COUNTED).map(Number);
  const ticks = times.reduce((sum, time) => sum + time, 0);
  return { nanos: ticks * NS_PER_TICK, cpus: text.match(/^cpu\d+ /gm)?.length ?? 0 };
}

/** The counters of a network namespace's interfaces but its loopback, from /proc/PID/net/dev. */
export function parseNetDev(text: string): Map<string, InterfaceCounters> {
  const interfaces = new Map<string, InterfaceCounters>();
  for (const line of text.split("\n")) {
    const [, name = "", numbers = ""] = /^ *([^\s:]+): *(.*)$/.exec(line) ?? [];
    const counts = numbers.trim().split(/ +/).map(Number);
    if (name === "" || name === "lo" || counts.length < 12) continue;
    const at = (column: number) => counts[column] ?? 0;
    interfaces.set(name, {
      rxBytes: at(0),
      rxPackets: at(1),
      rxErrors: at(2),
      rxDropped: at(3),
      txBytes: at(8),
      txPackets: at(9),
      txErrors: at(10),
      txDropped: at(11),
    });
  }
  return interfaces;
}
