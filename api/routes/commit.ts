import { ClusterError } from "../../core/errors.ts";
import type { ContainerBackend, ContainerFacts } from "../backends/containers.ts";
import type { ImageBackend } from "../backends/images.ts";
import { findContainer } from "../containers/find-container.ts";
import type { Exchange } from "../http/exchange.ts";
import { JsonReader } from "../http/json-reader.ts";
import { type Answer, created, type Route } from "../http/router.ts";
import { writeConfig } from "../wire/container/config.ts";
import { applyChanges, type ConfigObject } from "../wire/image-changes.ts";
import { imageConfigOf, mergeConfigs } from "../wire/image-config.ts";
import { withTag } from "../wire/image-name.ts";

type Backends = {
  readonly containers: Pick<
    ContainerBackend,
    "containerNames" | "getContainer" | "pauseContainer" | "unpauseContainer"
  >;
  readonly images: Pick<ImageBackend, "commitImage">;
};

/** `/commit`: a container becomes an image. Source: docker-engine-api-v1.51.yaml, tag Image. */
export function commitRoutes(backends: Backends): Route[] {
  return [{ method: "POST", path: "/commit", handler: (exchange) => commit(backends, exchange) }];
}

async function commit({ containers, images }: Backends, exchange: Exchange): Promise<Answer> {
  const { query } = exchange;
  const container = findContainer(containers, readContainer(query));
  const { name, image, labels } = container.settings;
  const given = await readBody(exchange);
  const own = imageConfigOf(new JsonReader(writeConfig(container), "Config"));
  const config = applyChanges(mergeConfigs(imageConfigOf(given), own), query.getAll("changes"));
  const repo = query.get("repo") ?? "";
  const options = {
    name: repo === "" ? "" : withTag(repo, query.get("tag") ?? ""),
    author: query.get("author") ?? "",
    comment: query.get("comment") ?? "",
    createdBy: wordsOf(own),
    config,
    container: { id: container.id, name, image, labels },
  };
  const isPaused = !query.has("pause") || exchange.flag("pause");
  const id = await standingStill(isPaused && isBusy(container), containers, container.id, () =>
    images.commitImage(options),
  );
  return created({ Id: id });
}

/** @throws {ClusterError} InvalidArgument. Docker's words. */
function readContainer(query: URLSearchParams): string {
  const ref = query.get("container") ?? "";
  if (ref === "") throw new ClusterError("InvalidArgument", 'invalid name or ID supplied: ""');
  return ref;
}

/** Does the work with the container standing still, so that no file is caught half written. */
async function standingStill<T>(
  isPaused: boolean,
  containers: Backends["containers"],
  id: string,
  work: () => Promise<T>,
): Promise<T> {
  if (!isPaused) return work();
  await containers.pauseContainer(id);
  try {
    return await work();
  } finally {
    await containers.unpauseContainer(id);
  }
}

function isBusy({ state, paused }: ContainerFacts): boolean {
  return state === "running" && !paused;
}

/** A Config; clients also send nothing, or null. */
async function readBody(exchange: Exchange): Promise<JsonReader> {
  const length = exchange.header("content-length");
  const isEmpty = (length === "" || length === "0") && exchange.header("transfer-encoding") === "";
  return new JsonReader(isEmpty ? undefined : await exchange.json(), "Config");
}

/** As Docker tells it: without the program that the arguments are for. */
function wordsOf({ Cmd }: ConfigObject): string {
  return Array.isArray(Cmd) ? Cmd.join(" ") : "";
}
