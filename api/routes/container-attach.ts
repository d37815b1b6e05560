import { parseDetachKeys } from "../../core/detach-keys.ts";
import type { ContainerBackend, ContainerFacts } from "../backends/containers.ts";
import { findContainer } from "../containers/find-container.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Hijacked } from "../http/hijack.ts";
import type { Answer, Route } from "../http/router.ts";
import { frame, StreamNumber } from "../streams/frame.ts";
import { joinStreams } from "../streams/join-streams.ts";
import { streamType } from "../streams/stream-type.ts";
import { conflict } from "./container-errors.ts";

/** `POST /containers/{id}/attach`. */
export function attachRoutes(backend: ContainerBackend): Route[] {
  return [
    {
      method: "POST",
      path: "/containers/:ref/attach",
      handler: async (exchange) =>
        attach(backend, findContainer(backend.listContainers(), exchange.param("ref")), exchange),
    },
  ];
}

async function attach(
  backend: ContainerBackend,
  container: ContainerFacts,
  exchange: Exchange,
): Promise<Answer> {
  const { id, settings } = container;
  const { tty, stdinOnce } = settings;
  const detachKeys = parseDetachKeys(exchange.query.get("detachKeys") ?? "");
  requireAttachable(container);
  const asked = {
    stdin: exchange.flag("stdin") && settings.openStdin,
    stdout: exchange.flag("stdout"),
    stderr: exchange.flag("stderr"),
  };
  const client = await exchange.hijack(streamType(tty, exchange));
  try {
    if (exchange.flag("logs")) await sendPast(backend, container, client, asked);
    if (exchange.flag("stream"))
      await joinStreams(client, backend.attachContainer(id), {
        ...asked,
        tty,
        detachKeys: tty ? detachKeys : undefined,
        endsWithInput: tty || !stdinOnce,
      });
    else client.end();
  } catch (error) {
    client.destroy();
    throw error;
  }
  return undefined;
}

/** @throws {ClusterError} 409. Docker's words. */
function requireAttachable({ id, state, paused, restarting }: ContainerFacts): void {
  if (paused) throw conflict(`container ${id} is paused, unpause the container before attach`);
  if (restarting)
    throw conflict(`container ${id} is restarting, wait until the container is running`);
  if (state === "dead") throw conflict(`container ${id} is marked for removal`);
}

/** What it wrote until now, if it was logged. */
async function sendPast(
  backend: ContainerBackend,
  { id, settings }: ContainerFacts,
  client: Hijacked,
  { stdout, stderr }: { readonly stdout: boolean; readonly stderr: boolean },
): Promise<void> {
  if (settings.log.driver === "none") return;
  const all = { follow: false, tail: -1, sinceMs: 0, untilMs: 0 };
  const gone = new AbortController();
  for await (const line of backend.containerLogs(id, { ...all, stdout, stderr }, gone.signal)) {
    const number = line.stderr ? StreamNumber.Stderr : StreamNumber.Stdout;
    await client.write(settings.tty ? line.data : frame(number, line.data));
  }
}
