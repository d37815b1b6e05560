import { parseDetachKeys } from "../../core/detach-keys.ts";
import { errorCode, errorMessage } from "../../core/errors.ts";
import type { ContainerBackend, ContainerFacts } from "../backends/containers.ts";
import { findContainer } from "../containers/find-container.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Hijacked } from "../http/hijack.ts";
import { httpStatus } from "../http/http-status.ts";
import type { Answer, Route } from "../http/router.ts";
import { frame, StreamNumber } from "../streams/frame.ts";
import { joinStreams } from "../streams/join-streams.ts";
import { streamType } from "../streams/stream-type.ts";
import { conflict } from "./container-errors.ts";

/** Before it every message was text. Source: moby #28176. */
const BINARY_FROM_MINOR = 28;
/** Before it a WebSocket had all streams, whatever was asked for. Source: moby, wsContainersAttach. */
const WEB_SOCKET_STREAMS_FROM_MINOR = 42;

/** What of a container's streams a client asked for, and how it gets them. */
interface Asked {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly framed: boolean;
}

/** `POST /containers/{id}/attach` and `GET /containers/{id}/attach/ws`. */
export function attachRoutes(backend: ContainerBackend): Route[] {
  const find = (exchange: Exchange) => findContainer(backend, exchange.param("ref"));
  return [
    {
      method: "POST",
      path: "/containers/:ref/attach",
      handler: async (exchange) => {
        try {
          const container = find(exchange);
          const { tty } = container.settings;
          const open = async () => exchange.hijack(streamType(tty, exchange));
          const asked = { ...askedStreams(exchange), framed: !tty };
          return await attach(backend, container, exchange, asked, open);
        } catch (error) {
          return refuseInWords(exchange, error);
        }
      },
    },
    {
      method: "GET",
      path: "/containers/:ref/attach/ws",
      handler: async (exchange) => {
        const all = { stdin: true, stdout: true, stderr: true };
        const isChoice = exchange.apiMinor >= WEB_SOCKET_STREAMS_FROM_MINOR;
        const streams = isChoice ? askedStreams(exchange) : all;
        const open = async () => exchange.webSocket(exchange.apiMinor >= BINARY_FROM_MINOR);
        return attach(backend, find(exchange), exchange, { ...streams, framed: false }, open);
      },
    },
  ];
}

/**
 * A client that asked for an upgrade shows whatever it is answered as the container's output: Docker tells it in plain words.
 * Source: moby, postContainersAttach.
 */
function refuseInWords(exchange: Exchange, error: unknown): Answer {
  const { response, isUpgrading } = exchange;
  const status = httpStatus(errorCode(error));
  if (!isUpgrading || response.socket === null || status === 500) throw error;
  response.useChunkedEncodingByDefault = false;
  response.writeHead(status, { "Content-Type": streamType(true, exchange) });
  response.end(`${errorMessage(error)}\r\n`);
  return undefined;
}

function askedStreams(exchange: Exchange): Omit<Asked, "framed"> {
  return {
    stdin: exchange.flag("stdin"),
    stdout: exchange.flag("stdout"),
    stderr: exchange.flag("stderr"),
  };
}

async function attach(
  backend: ContainerBackend,
  container: ContainerFacts,
  exchange: Exchange,
  asked: Asked,
  open: () => Promise<Hijacked>,
): Promise<Answer> {
  const { id, settings } = container;
  const { tty, stdinOnce, openStdin } = settings;
  const detachKeys = parseDetachKeys(exchange.query.get("detachKeys") ?? "");
  requireAttachable(container);
  const client = await open();
  try {
    if (exchange.flag("logs")) await sendPast(backend, container, client, asked);
    if (exchange.flag("stream"))
      await joinStreams(client, backend.attachContainer(id), {
        ...asked,
        stdin: asked.stdin && openStdin,
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
  { stdout, stderr, framed }: Asked,
): Promise<void> {
  if (settings.log.driver === "none") return;
  const all = { follow: false, tail: -1, sinceMs: 0, untilMs: 0 };
  const gone = new AbortController();
  for await (const line of backend.containerLogs(id, { ...all, stdout, stderr }, gone.signal)) {
    const number = line.stderr ? StreamNumber.Stderr : StreamNumber.Stdout;
    await client.write(framed ? frame(number, line.data) : line.data);
  }
}
