import { ClusterError } from "../../core/errors.ts";
import type { FetchedArchive, ImageBackend, ProgressEvent } from "../backends/images.ts";
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
/** Between two lines about one import. */
const STEP_BYTES_MIN = 512 * 1024;

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
  if (fromSrc !== "") return importFrom(backend, exchange, fromSrc);
  throw new ClusterError("InvalidArgument", "invalid reference format: fromImage is empty");
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

/**
 * One line for each image, as `docker load` prints them. No name is given before the archive is whole and stored. As in
 * Docker, what is wrong with it is told in the stream, whenever that is found out.
 */
async function load(backend: ImageBackend, exchange: Exchange): Promise<Answer> {
  const { query } = exchange;
  const platform = readPlatformJson(query.get("platform") ?? "");
  const isQuiet = !query.has("quiet") || exchange.flag("quiet");
  const work = async (emit: Emit): Promise<void> => {
    const onProgress = isQuiet ? () => {} : telling(emit);
    const archive = exchange.bodyBytes();
    for (const { id, names } of await backend.loadImages(archive, { platform, onProgress })) {
      for (const name of names) emit({ stream: `Loaded image: ${name}\n` });
      if (names.length === 0) emit({ stream: `Loaded image ID: ${id}\n` });
    }
  };
  return streamProgress(exchange, writeStreamError, work, { alwaysOk: true });
}

/** @param source of a tar archive: `-`, the body; else a URL. */
async function importFrom(
  backend: ImageBackend,
  exchange: Exchange,
  source: string,
): Promise<Answer> {
  const { query, signal } = exchange;
  const config = applyChanges({}, query.getAll("changes"));
  const repo = query.get("repo") ?? "";
  const name = repo === "" ? "" : withTag(repo, query.get("tag") ?? "");
  const platform = parsePlatform(query.get("platform") ?? "");
  const message = query.get("message") || `Imported from ${source}`;
  return streamProgress(exchange, writeStreamError, async (emit) => {
    const options = { name, platform, message, config, signal };
    if (source === "-") {
      emit({ status: await backend.importImage(exchange.bodyBytes(), options) });
      return;
    }
    await backend.fetchArchive(source, signal, async (archive) => {
      emit({ status: `Downloading from ${archive.url}` });
      const bytes = tellingBytes(archive, telling(emit));
      emit({ status: await backend.importImage(bytes, options) });
    });
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

/** Passes bytes on and says how many have come, about a hundred times in all. */
async function* tellingBytes(
  { bytes, sizeBytes }: FetchedArchive,
  onProgress: (event: ProgressEvent) => void,
): AsyncGenerator<Uint8Array> {
  const step = Math.max(sizeBytes / 100, STEP_BYTES_MIN);
  let [currentBytes, next] = [0, step];
  for await (const chunk of bytes) {
    yield chunk;
    currentBytes += chunk.length;
    if (currentBytes < next || sizeBytes === 0) continue;
    next = currentBytes + step;
    onProgress({ id: "", status: "Importing", currentBytes, totalBytes: sizeBytes });
  }
}

function telling(emit: Emit): (event: ProgressEvent) => void {
  return (event) => emit(writeProgress(event));
}
