import { ClusterError } from "../../core/errors.ts";
import type { ImageBackend, ProgressEvent } from "../backends/images.ts";
import type { Exchange } from "../http/exchange.ts";
import { type Emit, streamProgress } from "../http/progress-stream.ts";
import type { Answer, Route } from "../http/router.ts";
import { sendBytes } from "../http/send-bytes.ts";
import { applyChanges } from "../wire/image-changes.ts";
import { withTag } from "../wire/image-name.ts";
import { parsePlatform, readPlatformJson } from "../wire/platform.ts";
import { writeProgress, writeStreamError } from "../wire/progress.ts";
import { requirePlatform } from "./images.ts";

/** Images of one archive. */
const SAVED_MAX = 1000;

/** Images on their way to and from registries and archives. Source: docker-engine-api-v1.51.yaml, tag Image. */
export function imageTransferRoutes(backend: ImageBackend): Route[] {
  return [
    { method: "POST", path: "/images/create", handler: (exchange) => create(backend, exchange) },
    { method: "POST", path: "/images/*/push", handler: (exchange) => push(backend, exchange) },
    { method: "POST", path: "/images/load", handler: (exchange) => load(backend, exchange) },
    {
      method: "GET",
      path: "/images/*/get",
      handler: (exchange) => save(backend, exchange, [exchange.param("*")]),
    },
    {
      method: "GET",
      path: "/images/get",
      handler: (exchange) => save(backend, exchange, exchange.query.getAll("names")),
    },
  ];
}

/** Pulls or imports, as the query says. */
async function create(backend: ImageBackend, exchange: Exchange): Promise<Answer> {
  const { query } = exchange;
  const [fromImage, fromSrc] = [query.get("fromImage") ?? "", query.get("fromSrc") ?? ""];
  if (fromImage !== "") return pull(backend, exchange, fromImage);
  if (fromSrc === "-") return importBody(backend, exchange);
  if (fromSrc === "")
    throw new ClusterError("InvalidArgument", "invalid reference format: fromImage is empty");
  const message = `cannot import from ${fromSrc}: the daemon fetches nothing for others; download it and import the file`;
  throw new ClusterError("InvalidArgument", message);
}

/** The work ends when the client goes, unless somebody else waits for the same. */
async function pull(backend: ImageBackend, exchange: Exchange, fromImage: string): Promise<Answer> {
  const { query, signal } = exchange;
  const platform = parsePlatform(query.get("platform") ?? "");
  const registryAuth = exchange.header("x-registry-auth");
  const ref = withTag(fromImage, query.get("tag") ?? "");
  return streamProgress(exchange, writeStreamError, (emit) =>
    backend.pullImage(ref, { platform, registryAuth, signal, onProgress: telling(emit) }),
  );
}

async function push(backend: ImageBackend, exchange: Exchange): Promise<Answer> {
  const { query, signal } = exchange;
  const ref = withTag(exchange.param("*"), query.get("tag") ?? "");
  const registryAuth = exchange.header("x-registry-auth");
  return streamProgress(exchange, writeStreamError, (emit) =>
    backend.pushImage(ref, { registryAuth, signal, onProgress: telling(emit) }),
  );
}

/** One line for each image, as `docker load` prints them. No name is given before the archive is whole and stored. */
async function load(backend: ImageBackend, exchange: Exchange): Promise<Answer> {
  const platform = readPlatformJson(exchange.query.get("platform") ?? "");
  const isQuiet = exchange.flag("quiet");
  return streamProgress(exchange, writeStreamError, async (emit) => {
    const onProgress = isQuiet ? () => {} : telling(emit);
    for (const { id, names } of await backend.loadImages(exchange.request, {
      platform,
      onProgress,
    })) {
      for (const name of names) emit({ stream: `Loaded image: ${name}\n` });
      if (names.length === 0) emit({ stream: `Loaded image ID: ${id}\n` });
    }
  });
}

async function importBody(backend: ImageBackend, exchange: Exchange): Promise<Answer> {
  const { query, request, signal } = exchange;
  const config = applyChanges({}, query.getAll("changes"));
  const repo = query.get("repo") ?? "";
  const name = repo === "" ? "" : withTag(repo, query.get("tag") ?? "");
  const platform = parsePlatform(query.get("platform") ?? "");
  const message = query.get("message") || "Imported from -";
  return streamProgress(exchange, writeStreamError, async (emit) => {
    const options = { name, platform, message, config, signal };
    emit({ status: await backend.importImage(request, options) });
  });
}

/** @throws {ClusterError} `NotFound`, also when an image is for another platform than the query's. */
async function save(
  backend: ImageBackend,
  exchange: Exchange,
  refs: readonly string[],
): Promise<Answer> {
  if (refs.length === 0 || refs.length > SAVED_MAX)
    throw new ClusterError("InvalidArgument", `give one to ${SAVED_MAX} names of images`);
  const platform = exchange.query.get("platform") ?? "";
  if (platform !== "")
    for (const ref of refs) requirePlatform(backend.getImage(ref), ref, platform);
  return sendBytes(exchange, "application/x-tar", backend.saveImages(refs));
}

function telling(emit: Emit): (event: ProgressEvent) => void {
  return (event) => emit(writeProgress(event));
}
