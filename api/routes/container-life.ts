import { ClusterError } from "../../core/errors.ts";
import type { ContainerBackend, ContainerFacts, WaitCondition } from "../backends/containers.ts";
import { checkLimits, checkUpdate, findUpdateConflict } from "../containers/check-limits.ts";
import { findContainer } from "../containers/find-container.ts";
import { isRunning } from "../containers/state.ts";
import { fitLimits } from "../containers/warnings.ts";
import type { Exchange } from "../http/exchange.ts";
import { JsonReader } from "../http/json-reader.ts";
import { type Answer, done, ok, type Route } from "../http/router.ts";
import { checkName } from "../wire/container/create.ts";
import { readRestartPolicy } from "../wire/container/host-config.ts";
import { amendLimits, readLimits } from "../wire/container/resources.ts";
import { readConsoleSize } from "../wire/exec.ts";
import {
  conflict,
  conflictOfName,
  isStateError,
  requireRunning,
  startFailure,
} from "./container-errors.ts";

const SECOND_MS = 1000;
const CONDITIONS_SINCE_MINOR = 30;
const WAIT_CONDITIONS: readonly WaitCondition[] = ["not-running", "next-exit", "removed"];

type Handler = (container: ContainerFacts, exchange: Exchange) => Promise<Answer> | Answer;

/** Everything that changes where a container is in its life. */
export function containerLifeRoutes(backend: ContainerBackend): Route[] {
  const post = (verb: string, handler: Handler): Route => ({
    method: "POST",
    path: `/containers/:ref/${verb}`,
    handler: async (exchange) => handler(findContainer(backend, exchange.param("ref")), exchange),
  });
  return [
    post("start", async (container) => start(backend, container)),
    post("stop", async (container, exchange) => {
      if (!isRunning(container)) return NOT_MODIFIED;
      const { signal, timeoutMs } = readStop(exchange);
      await backend.stopContainer(container.id, signal, timeoutMs);
      return done(204);
    }),
    post("restart", async (container, exchange) => restart(backend, container, exchange)),
    post("kill", async (container, exchange) => {
      const { id, settings, state } = container;
      const signal = exchange.query.get("signal") || "SIGKILL";
      backend.checkSignal(signal);
      const refusal = () =>
        conflict(`cannot kill container: ${settings.name}: container ${id} is not running`);
      if (state !== "running" && !container.restarting) throw refusal();
      await translate(backend.killContainer(id, signal), refusal);
      return done(204);
    }),
    post("pause", async (container) => {
      requireRunning(container);
      const { id } = container;
      const refusal = () => conflict(`container ${id} is already paused`);
      if (container.paused) throw refusal();
      await translate(backend.pauseContainer(id), refusal);
      return done(204);
    }),
    post("unpause", async ({ id, paused }) => {
      const refusal = () => conflict(`Container ${id} is not paused`);
      if (!paused) throw refusal();
      await translate(backend.unpauseContainer(id), refusal);
      return done(204);
    }),
    post("resize", (container, { query }) => {
      const size = readConsoleSize(query);
      requireRunning(container);
      backend.resizeContainer(container.id, size);
      return done();
    }),
    post("rename", async (container, exchange) => rename(backend, container, exchange)),
    post("update", async (container, exchange) => update(backend, container, exchange)),
    post("wait", async (container, exchange) => wait(backend, container, exchange)),
    {
      method: "DELETE",
      path: "/containers/:ref",
      handler: async (exchange) =>
        remove(backend, findContainer(backend, exchange.param("ref")), exchange),
    },
  ];
}

const NOT_MODIFIED: Answer = { status: 304 };

async function start(backend: ContainerBackend, container: ContainerFacts): Promise<Answer> {
  if (container.paused) throw conflict("cannot start a paused container, try unpause instead");
  if (container.state === "dead")
    throw conflict("container is marked for removal and cannot be started");
  if (container.state === "running") return NOT_MODIFIED;
  try {
    await backend.startContainer(container.id);
  } catch (error) {
    // Somebody else was faster.
    if (isStateError(error) && backend.getContainer(container.id).state === "running")
      return NOT_MODIFIED;
    throw startFailure(error);
  }
  return done(204);
}

async function restart(
  backend: ContainerBackend,
  { id }: ContainerFacts,
  exchange: Exchange,
): Promise<Answer> {
  const { signal, timeoutMs } = readStop(exchange);
  try {
    await backend.restartContainer(id, signal, timeoutMs);
  } catch (error) {
    throw restartFailure(exchange.param("ref"), startFailure(error));
  }
  return done(204);
}

/** Docker's frame around whatever went wrong, with the container as its client calls it. */
function restartFailure(ref: string, error: unknown): unknown {
  if (!(error instanceof ClusterError)) return error;
  const { code, message, details } = error;
  return new ClusterError(code, `Cannot restart container ${ref}: ${message}`, {
    ...{ details, cause: error },
  });
}

function readStop({ query }: Exchange): {
  readonly signal: string;
  readonly timeoutMs: number | undefined;
} {
  const text = query.get("t") ?? "";
  if (text !== "" && !/^-?\d{1,9}$/.test(text))
    throw new ClusterError("InvalidArgument", `invalid t '${text.slice(0, 40)}': want seconds`);
  const timeoutMs = text === "" ? undefined : Number(text) * SECOND_MS;
  return { signal: query.get("signal") ?? "", timeoutMs };
}

async function rename(
  backend: ContainerBackend,
  { id, settings }: ContainerFacts,
  { query }: Exchange,
): Promise<Answer> {
  const name = (query.get("name") ?? "").replace(/^\//, "");
  if (name === "")
    throw new ClusterError("InvalidArgument", "Neither old nor new names may be empty");
  checkName(name);
  if (name === settings.name)
    throw new ClusterError(
      "InvalidArgument",
      "Renaming a container with the same name as its current name",
    );
  try {
    await backend.renameContainer(id, name);
  } catch (error) {
    const taken = conflictOfName(error, name);
    throw taken === undefined
      ? error
      : conflict(`Error when allocating new name: ${taken.message}`, error);
  }
  return done(204);
}

async function update(
  backend: ContainerBackend,
  container: ContainerFacts,
  exchange: Exchange,
): Promise<Answer> {
  const json = new JsonReader(await exchange.json(), "Body");
  const { id, settings } = container;
  const restart = json.isSet("RestartPolicy")
    ? readRestartPolicy(json.object("RestartPolicy"))
    : undefined;
  const refuse = (reason: string) => conflict(`Cannot update container ${id}: ${reason}`);
  if (restart !== undefined && restart.kind !== "no" && settings.autoRemove)
    throw refuse(
      "Restart policy cannot be updated because AutoRemove is enabled for the container",
    );
  const abilities = backend.abilities();
  checkUpdate(readLimits(json), abilities);
  const mistake = findUpdateConflict(readLimits(json), settings.limits);
  if (mistake !== undefined) throw refuse(mistake);
  const asked = amendLimits(json, settings.limits);
  checkLimits(asked, abilities);
  const { limits, warnings } = fitLimits(asked, abilities);
  await backend.updateContainer(id, {
    ...(JSON.stringify(limits) === JSON.stringify(settings.limits) ? {} : { limits }),
    ...(restart === undefined ? {} : { restart }),
  });
  return ok({ Warnings: warnings });
}

/** The head goes out at once: clients send the next request, mostly a start, when they have it. */
async function wait(
  backend: ContainerBackend,
  { id }: ContainerFacts,
  { query, response, signal, apiMinor }: Exchange,
): Promise<Answer> {
  // Before, there was nothing else to wait for.
  const said = apiMinor < CONDITIONS_SINCE_MINOR ? "" : query.get("condition");
  const asked = said || "not-running";
  const condition = WAIT_CONDITIONS.find((known) => known === asked);
  if (condition === undefined)
    throw new ClusterError(
      "InvalidArgument",
      `invalid condition: ${JSON.stringify(asked.slice(0, 40))}`,
    );
  const ended = backend.waitForContainer(id, condition, signal);
  response.writeHead(200, { "Content-Type": "application/json" });
  response.flushHeaders();
  try {
    const { exitCode, error } = await ended;
    const body = error === "" ? {} : { Error: { Message: error } };
    response.end(`${JSON.stringify({ StatusCode: exitCode, ...body })}\n`);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return undefined;
}

async function remove(
  backend: ContainerBackend,
  container: ContainerFacts,
  exchange: Exchange,
): Promise<Answer> {
  const { id, settings } = container;
  if (exchange.flag("link"))
    throw conflict("Conflict, cannot remove the default link name of the container");
  const force = exchange.flag("force");
  const refusal = () => {
    const state = container.paused ? "paused" : container.restarting ? "restarting" : "running";
    const advice = container.paused
      ? "unpause and stop the container before removing or force remove"
      : "stop the container before removing or force remove";
    return conflict(
      `cannot remove container "/${settings.name}": container is ${state}: ${advice}`,
    );
  };
  if (!force && isRunning(container)) throw refusal();
  await translate(
    backend.removeContainer(id, { force, keepVolumes: !exchange.flag("v") }),
    refusal,
  );
  return done(204);
}

/** Another was faster: the state is no longer what was looked at. */
async function translate(work: Promise<void>, refusal: () => ClusterError): Promise<void> {
  try {
    await work;
  } catch (error) {
    throw isStateError(error) ? refusal() : error;
  }
}
