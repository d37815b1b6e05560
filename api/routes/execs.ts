import { parseDetachKeys } from "../../core/detach-keys.ts";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import type { ContainerBackend, ContainerFacts } from "../backends/containers.ts";
import type { ExecBackend, ExecFacts } from "../backends/execs.ts";
import type { AttachedStreams } from "../backends/streams.ts";
import { findContainer } from "../containers/find-container.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Hijacked } from "../http/hijack.ts";
import { type Answer, created, done, ok, type Route } from "../http/router.ts";
import { frame, StreamNumber } from "../streams/frame.ts";
import { joinStreams } from "../streams/join-streams.ts";
import { streamType } from "../streams/stream-type.ts";
import { readConsoleSize, readExecCreate, readExecStart, writeExec } from "../wire/exec.ts";
import { conflict, requireRunning } from "./container-errors.ts";

/** `/exec…`: commands in containers. Source: docker-engine-api-v1.51.yaml, tag Exec. */
export function execRoutes(containers: ContainerBackend, execs: ExecBackend): Route[] {
  const ofExec = (
    verb: string,
    handler: (exec: ExecFacts, exchange: Exchange) => Promise<Answer> | Answer,
  ): Route => ({
    method: verb === "json" ? "GET" : "POST",
    path: `/exec/:ref/${verb}`,
    handler: async (exchange) => handler(findExec(execs, exchange.param("ref")), exchange),
  });
  return [
    {
      method: "POST",
      path: "/containers/:ref/exec",
      handler: async (exchange) => {
        const config = readExecCreate(await exchange.json());
        checkDetachKeys(config.detachKeys);
        const container = findContainer(containers, exchange.param("ref"));
        requireExecutable(container);
        return created({ Id: execs.createExec(container.id, config) });
      },
    },
    ofExec("start", async (exec, exchange) => start(containers, execs, exec, exchange)),
    ofExec("resize", ({ id, containerId }, { query }) => {
      const size = readConsoleSize(query);
      requireExecutable(containers.getContainer(containerId));
      try {
        execs.resizeExec(id, size);
      } catch (error) {
        throw stateError(error) ?? error;
      }
      return done();
    }),
    ofExec("json", (exec) => ok(writeExec(exec))),
  ];
}

/** @throws {ClusterError} InvalidArgument. Docker's words, which for an attach are others. */
function checkDetachKeys(text: string): void {
  try {
    parseDetachKeys(text);
  } catch (cause) {
    const message = `Invalid escape keys (${text.slice(0, 100)}) provided`;
    throw new ClusterError("InvalidArgument", message, { cause });
  }
}

/** By its whole id. @throws {ClusterError} NotFound. Docker's words. */
function findExec(execs: ExecBackend, id: string): ExecFacts {
  try {
    return execs.getExec(id);
  } catch (cause) {
    const shown = id.slice(0, 100);
    throw new ClusterError("NotFound", `No such exec instance: ${shown}`, { cause });
  }
}

/** @throws {ClusterError} 409. Docker's words. */
function requireExecutable(container: ContainerFacts): void {
  requireRunning(container);
  if (container.paused)
    throw conflict(`Container ${container.id} is paused, unpause the container before exec`);
}

async function start(
  containers: ContainerBackend,
  execs: ExecBackend,
  exec: ExecFacts,
  exchange: Exchange,
): Promise<Answer> {
  const { detach, size } = readExecStart(await exchange.json());
  const { id, config } = exec;
  if (exec.state === "exited") throw conflict(`Error: Exec command ${id} has already run`);
  if (exec.state === "running") throw conflict(`Error: Exec command ${id} is already running`);
  requireExecutable(containers.getContainer(exec.containerId));
  if (detach) {
    try {
      await execs.startExec(id, { attached: false, size });
    } catch (error) {
      throw stateError(error) ?? execFailure(error);
    }
    return done();
  }
  const client = await exchange.hijack(streamType(config.tty, exchange));
  const streams = await startOrTell(execs, exec, client, size);
  if (streams === undefined) return undefined;
  await joinStreams(client, streams, {
    stdin: config.attachStdin,
    stdout: config.attachStdout,
    stderr: config.attachStderr,
    framed: !config.tty,
    detachKeys: config.tty ? parseDetachKeys(config.detachKeys) : undefined,
    endsWithInput: config.tty,
  });
  return undefined;
}

/** The answer's status has gone out: what is wrong now is told where the command's output would be, as Docker does. */
async function startOrTell(
  execs: ExecBackend,
  { id, config }: ExecFacts,
  client: Hijacked,
  size: Parameters<ExecBackend["startExec"]>[1]["size"],
): Promise<AttachedStreams | undefined> {
  try {
    return await execs.startExec(id, { attached: true, size });
  } catch (error) {
    const text = Buffer.from(`${errorMessage(stateError(error) ?? execFailure(error))}\r\n`);
    await client.write(config.tty ? text : frame(StreamNumber.Stdout, text)).catch(() => {
      // It has gone: nobody to tell.
    });
    client.end();
    return undefined;
  }
}

/** Another was faster, or the container has ended: 409; undefined for every other error. */
function stateError(error: unknown): ClusterError | undefined {
  if (!(error instanceof ClusterError) || error.code !== "FailedPrecondition") return undefined;
  return conflict(error.message, error);
}

/** The OCI runtime's words in Docker's frame. */
function execFailure(error: unknown): unknown {
  if (!(error instanceof ClusterError) || typeof error.details.exitCode !== "number") return error;
  const reason = error.message.replace(/^cannot start container: /, "");
  return new ClusterError("InvalidArgument", `OCI runtime exec failed: ${reason}: unknown`, {
    cause: error,
  });
}
