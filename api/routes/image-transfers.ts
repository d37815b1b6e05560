import { ClusterError } from "../../core/errors.ts";
import type { ImageBackend, ProgressEvent } from "../backends/images.ts";
import type { Exchange } from "../http/exchange.ts";
import { type Emit, streamProgress } from "../http/progress-stream.ts";
import type { Answer, Route } from "../http/router.ts";
import { withTag } from "../wire/image-name.ts";
import { parsePlatform } from "../wire/platform.ts";
import { writeProgress, writeStreamError } from "../wire/progress.ts";

/** Images on their way to and from registries and archives. Source: docker-engine-api-v1.51.yaml, tag Image. */
export function imageTransferRoutes(backend: ImageBackend): Route[] {
  return [
    { method: "POST", path: "/images/create", handler: (exchange) => create(backend, exchange) },
    { method: "POST", path: "/images/*/push", handler: (exchange) => push(backend, exchange) },
    { method: "POST", path: "/images/load", handler: (exchange) => load(backend, exchange) },
  ];
}

/** Pulls. The work ends when the client goes, unless somebody else waits for the same. */
async function create(backend: ImageBackend, exchange: Exchange): Promise<Answer> {
  const { query, signal } = exchange;
  const fromImage = query.get("fromImage") ?? "";
  if (fromImage === "")
    throw new ClusterError("InvalidArgument", "invalid reference format: fromImage is empty");
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

/** One JSON line for each image, as `docker load` prints them. Nothing is sent before the archive is whole and stored. */
async function load(backend: ImageBackend, exchange: Exchange): Promise<Answer> {
  return streamProgress(exchange, writeStreamError, async (emit) => {
    for (const name of await backend.loadImages(exchange.request))
      emit({ stream: `Loaded image: ${name}\n` });
  });
}

function telling(emit: Emit): (event: ProgressEvent) => void {
  return (event) => emit(writeProgress(event));
}
