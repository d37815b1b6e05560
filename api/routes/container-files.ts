import { ClusterError } from "../../core/errors.ts";
import type { ContainerFileBackend } from "../backends/container-files.ts";
import type { ContainerFinder } from "../containers/find-container.ts";
import type { Exchange } from "../http/exchange.ts";
import { type Answer, done, ok, type Route } from "../http/router.ts";
import { sendBytes } from "../http/send-bytes.ts";
import { writeChange, writePathStat } from "../wire/container/files.ts";
import { containerOf } from "./containers.ts";

const PATH_STAT = "X-Docker-Container-Path-Stat";
const TAR = "application/x-tar";

/** Files of containers: what changed, all of them, some of them. Source: docker-engine-api-v1.51.yaml, tag Container. */
export function containerFileRoutes(
  containers: ContainerFinder,
  files: ContainerFileBackend,
): Route[] {
  const idOf = (exchange: Exchange) => containerOf(containers, exchange).id;
  return [
    {
      method: "GET",
      path: "/containers/:ref/changes",
      handler: async (exchange) =>
        ok((await files.containerChanges(idOf(exchange))).map(writeChange)),
    },
    {
      method: "GET",
      path: "/containers/:ref/export",
      handler: async (exchange) => {
        await files.exportContainer(idOf(exchange), async (chunks) => {
          await sendBytes(exchange, "application/octet-stream", chunks);
        });
        return undefined;
      },
    },
    {
      method: "HEAD",
      path: "/containers/:ref/archive",
      handler: (exchange) => statPath(files, idOf(exchange), exchange),
    },
    {
      method: "GET",
      path: "/containers/:ref/archive",
      handler: (exchange) => sendPath(files, idOf(exchange), exchange),
    },
    {
      method: "PUT",
      path: "/containers/:ref/archive",
      handler: (exchange) => unpack(files, idOf(exchange), exchange),
    },
  ];
}

async function statPath(
  files: ContainerFileBackend,
  id: string,
  exchange: Exchange,
): Promise<Answer> {
  const stat = await orNoFile(exchange, (path) => files.statContainerPath(id, path));
  exchange.response.setHeader(PATH_STAT, writePathStat(stat));
  return done();
}

async function sendPath(
  files: ContainerFileBackend,
  id: string,
  exchange: Exchange,
): Promise<Answer> {
  await orNoFile(exchange, (path) =>
    files.packContainerPath(id, path, async (stat, chunks) => {
      exchange.response.setHeader(PATH_STAT, writePathStat(stat));
      await sendBytes(exchange, TAR, chunks);
    }),
  );
  return undefined;
}

async function unpack(
  files: ContainerFileBackend,
  id: string,
  exchange: Exchange,
): Promise<Answer> {
  // The connection must stay when the archive is refused half-way: the client has to read why.
  const archive = exchange.bodyBytes()[Symbol.asyncIterator]();
  const options = {
    archive,
    asUser: exchange.flag("copyUIDGID"),
    keepsKinds: exchange.flag("noOverwriteDirNonDir"),
  };
  await orNoFile(exchange, (path) => files.unpackToContainer(id, { path, ...options }));
  return done();
}

/** Docker's words for a path where nothing is. */
async function orNoFile<T>(exchange: Exchange, work: (path: string) => Promise<T>): Promise<T> {
  const path = exchange.query.get("path") ?? "";
  try {
    return await work(path);
  } catch (error) {
    if (!(error instanceof ClusterError) || error.details.errno !== "ENOENT") throw error;
    const message = `Could not find the file ${path} in container ${exchange.param("ref")}`;
    throw new ClusterError("NotFound", message, { cause: error });
  }
}
