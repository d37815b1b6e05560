import { ClusterError } from "../../core/errors.ts";
import type { ContainerFacts } from "../backends/containers.ts";
import { hasLabels, toPattern } from "../http/filter-values.ts";
import type { Filters } from "../http/filters.ts";
import { labelsOf } from "../wire/container/config.ts";
import { exposedPorts, hasPorts, isPortIn } from "../wire/container/ports.ts";
import { findId } from "./find-container.ts";
import { isRunning, statusOf } from "./state.ts";

/** What `GET /containers/json` takes. */
export const LIST_FILTERS = [
  "ancestor",
  "before",
  "expose",
  "exited",
  "health",
  "id",
  "isolation",
  "is-task",
  "label",
  "name",
  "network",
  "publish",
  "since",
  "status",
  "volume",
];

const STATUSES = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];
const HEALTHS = ["starting", "healthy", "unhealthy", "none"];
const PATTERN_LENGTH_MAX = 256;
/** On every container of a task. */
const TASK_LABEL = "com.docker.swarm.task";

export interface ListQuery {
  readonly filters: Filters;
  readonly all: boolean;
  /** 0: no bound. */
  readonly limit: number;
}

/**
 * The containers a list asks for, newest first.
 *
 * Without `all` only those that run, unless a filter or the limit speaks of others.
 *
 * @param imageIdOf the id of an image by any of its names; undefined when there is none.
 * @throws {ClusterError} InvalidArgument for values that are none, NotFound for containers that are named.
 */
export function selectContainers(
  all: readonly ContainerFacts[],
  query: ListQuery,
  imageIdOf: (name: string) => string | undefined,
): ContainerFacts[] {
  const { filters, limit } = query;
  checkValues(filters);
  const speaksOfOthers = ["exited", "status", "before", "since"].some((key) => key in filters);
  const isShown = query.all || limit > 0 || speaksOfOthers ? () => true : isRunning;
  const matches = planMatchers(all, filters, imageIdOf);
  const found = all
    .filter((container) => isShown(container) && matches.every((match) => match(container)))
    .sort((a, b) => b.createdAtMs - a.createdAtMs);
  return limit > 0 ? found.slice(0, limit) : found;
}

/** @throws {ClusterError} NotFound, InvalidArgument. Docker's words. */
function findListed(all: readonly ContainerFacts[], ref: string): ContainerFacts {
  const id = findId(
    all.map(({ id, settings }) => ({ id, name: settings.name })),
    ref,
  );
  return all.find((one) => one.id === id) as ContainerFacts;
}

type Matcher = (container: ContainerFacts) => boolean;

function planMatchers(
  all: readonly ContainerFacts[],
  filters: Filters,
  imageIdOf: (name: string) => string | undefined,
): Matcher[] {
  const matchers: Readonly<Record<string, (value: string) => Matcher>> = {
    ancestor: (value) => {
      const imageId = imageIdOf(value);
      return (one) => one.imageId === imageId || one.settings.image === value;
    },
    before: (value) => {
      const { createdAtMs, id } = findListed(all, value);
      return (one) => one.createdAtMs <= createdAtMs && one.id !== id;
    },
    since: (value) => {
      const { createdAtMs, id } = findListed(all, value);
      return (one) => one.createdAtMs >= createdAtMs && one.id !== id;
    },
    exited: (value) => (one) => !isRunning(one) && hasRun(one) && one.exitCode === Number(value),
    health: (value) => (one) => one.health.state === value,
    id: (value) => (one) => one.id.startsWith(value),
    isolation: (value) => () => ["", "default"].includes(value),
    "is-task": (value) => (one) => TASK_LABEL in one.settings.labels === isTrue(value),
    name: (value) => {
      const pattern = toPattern(value);
      return ({ settings }) => pattern.test(settings.name) || pattern.test(`/${settings.name}`);
    },
    // Of those that run: one by the machine's ports, the other by the container's own.
    publish: (value) => (one) =>
      one.publishedPorts.some(({ hostPort: port, protocol }) =>
        isPortIn(value, { port, protocol }),
      ),
    expose: (value) => (one) =>
      hasPorts(one) && exposedPorts(one).some((port) => isPortIn(value, port)),
    network: (value) => (one) =>
      one.networks.some(
        ({ settings, networkId }) => settings.network === value || networkId === value,
      ) || one.networkMode === value,
    status: (value) => (one) => statusOf(one) === value,
    volume: (value) => (one) =>
      one.mounts.some(({ type, source, target }) =>
        value.startsWith("/")
          ? target === value || source === value
          : type === "volume" && source === value,
      ),
  };
  return Object.entries(filters).flatMap(([key, values]) => {
    // Of labels all must be there; of the others one is enough.
    if (key === "label")
      return values.map(
        (value): Matcher =>
          (one) =>
            hasLabel(one, value),
      );
    const matcher = matchers[key];
    if (matcher === undefined || values.length === 0) return [];
    const alternatives = values.map(matcher);
    return [(one: ContainerFacts) => alternatives.some((match) => match(one))];
  });
}

/** @throws {ClusterError} InvalidArgument. Docker's words. */
function checkValues(filters: Filters): void {
  const check = (key: string, isGood: (value: string) => boolean) => {
    for (const value of filters[key] ?? [])
      if (!isGood(value))
        throw new ClusterError("InvalidArgument", `invalid filter '${key}=${value.slice(0, 100)}'`);
  };
  check("status", (value) => STATUSES.includes(value));
  check("health", (value) => HEALTHS.includes(value));
  check("exited", (value) => /^-?\d{1,9}$/.test(value));
  check("is-task", (value) => /^(?:true|false|1|0)$/.test(value));
  check("name", (value) => value.length <= PATTERN_LENGTH_MAX);
  for (const key of ["publish", "expose"])
    check(key, (value) => /^\d{1,5}(?:-\d{1,5})?(?:\/(?:tcp|udp|sctp))?$/.test(value));
}

/** `key` or `key=value`. */
export function hasLabel(container: ContainerFacts, wanted: string): boolean {
  return hasLabels(labelsOf(container), [wanted]);
}

function hasRun({ state }: ContainerFacts): boolean {
  return state === "exited" || state === "dead";
}

function isTrue(value: string): boolean {
  return value === "true" || value === "1";
}
