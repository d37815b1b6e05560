import type { Container, ContainerEvent } from "../../runtime/container/types.ts";
import { TASK_ID_LABEL } from "./container-config.ts";
import type { ObservedContainer } from "./task-model.ts";

/** What a task controller wants to know of a container. */
export function observedContainer(container: Container): ObservedContainer {
  const { id, state, pid, exitCode, oomKilled, health } = container;
  const newest = health.log.at(-1);
  const healthOutput = newest === undefined || newest.exitCode === 0 ? "" : newest.output;
  return { id, state, pid, exitCode, oomKilled, health: health.state, healthOutput };
}

/** The same after an event: the event is what is true now, whether or not the container's record shows it yet. */
export function observedAfter(container: Container, event: ContainerEvent): ObservedContainer {
  const observed = observedContainer(container);
  if (event.kind === "health") return { ...observed, health: event.state };
  if (event.kind !== "exited") return observed;
  const { exitCode, oomKilled } = event;
  return { ...observed, state: "exited", pid: 0, exitCode, oomKilled };
}

/** The task a container was made for; undefined for one that is no task's. */
export function taskIdOf(container: Container): string | undefined {
  const { labels } = container.config;
  return Object.hasOwn(labels, TASK_ID_LABEL) ? labels[TASK_ID_LABEL] : undefined;
}
