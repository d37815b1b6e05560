import type { ContainerFacts } from "../backends/containers.ts";

/** Docker's words for where a container is in its life. */
export type ContainerStatus = "created" | "running" | "paused" | "restarting" | "exited" | "dead";

export function statusOf(
  container: Pick<ContainerFacts, "state" | "paused" | "restarting">,
): ContainerStatus {
  if (container.restarting) return "restarting";
  return container.state === "running" && container.paused ? "paused" : container.state;
}

/** Docker counts one that is about to be started again as running. */
export function isRunning(container: Pick<ContainerFacts, "state" | "restarting">): boolean {
  return container.state === "running" || container.restarting;
}

/** What `docker ps` shows: `Up 2 hours (healthy)`. Source: moby, container/state.go, State.String. */
export function describeStatus(container: ContainerFacts, nowMs: number): string {
  const { exitCode, startedAtMs, finishedAtMs, health } = container;
  const since = (ms: number) => describeDuration(nowMs - ms);
  switch (statusOf(container)) {
    case "running":
      return `Up ${since(startedAtMs)}${HEALTH_WORDS[health.state]}`;
    case "paused":
      return `Up ${since(startedAtMs)} (Paused)`;
    case "restarting":
      return `Restarting (${exitCode}) ${since(finishedAtMs)} ago`;
    case "dead":
      return "Dead";
    case "created":
      return "Created";
    case "exited":
      return finishedAtMs === 0 ? "" : `Exited (${exitCode}) ${since(finishedAtMs)} ago`;
  }
}

const HEALTH_WORDS = {
  none: "",
  starting: " (health: starting)",
  healthy: " (healthy)",
  unhealthy: " (unhealthy)",
} as const;

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_HOURS = 24;

/** A span of time as people say it. Source: docker/go-units, HumanDuration. */
export function describeDuration(ms: number): string {
  const seconds = Math.floor(ms / SECOND_MS);
  if (seconds < 1) return "Less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(ms / MINUTE_MS);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(ms / HOUR_MS);
  if (hours === 1) return "About an hour";
  if (hours < 2 * DAY_HOURS) return `${hours} hours`;
  if (hours < 14 * DAY_HOURS) return `${Math.floor(hours / DAY_HOURS)} days`;
  if (hours < 60 * DAY_HOURS) return `${Math.floor(hours / DAY_HOURS / 7)} weeks`;
  if (hours < 730 * DAY_HOURS) return `${Math.floor(hours / DAY_HOURS / 30)} months`;
  return `${Math.floor(ms / HOUR_MS / DAY_HOURS / 365)} years`;
}
