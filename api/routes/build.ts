import { ClusterError } from "../../core/errors.ts";
import type { BuildBackend, BuildOutput, BuildSettings } from "../backends/builds.ts";
import type { ContainerBackend } from "../backends/containers.ts";
import type { EventBackend } from "../backends/events.ts";
import { checkLimits } from "../containers/check-limits.ts";
import { findContainer } from "../containers/find-container.ts";
import { frameStartFailure } from "../containers/start-failure.ts";
import { fitLimits } from "../containers/warnings.ts";
import type { Exchange } from "../http/exchange.ts";
import { parseFilters } from "../http/filters.ts";
import { streamProgress } from "../http/progress-stream.ts";
import { type Answer, ok, type Route } from "../http/router.ts";
import { untilDrained } from "../http/send-list.ts";
import { readBuildQuery, writeBuildError, writeBuildOutput } from "../wire/build.ts";

type Backends = {
  readonly builds: BuildBackend;
  readonly containers: Pick<ContainerBackend, "containerNames" | "getContainer" | "abilities">;
  readonly events: Pick<EventBackend, "pruned">;
};

/** What a quiet build keeps for the case that it fails, and of one line beside its text. */
const QUIET_LENGTH_MAX = 4 * 1024 * 1024;
const LINE_LENGTH = 100;
const PRUNE_SIZES = ["keep-storage", "reserved-space", "max-used-space", "min-free-space"];
const PRUNE_FILTERS = [
  ...["until", "id", "parent", "type", "description", "inuse", "shared", "private", "unused-for"],
  "label",
];

/** `/build`: Docker's classic builder. Source: docker-engine-api-v1.51.yaml, tag Image. */
export function buildRoutes(backends: Backends): Route[] {
  return [
    { method: "POST", path: "/build", handler: (exchange) => build(backends, exchange) },
    { method: "POST", path: "/build/prune", handler: (exchange) => prune(backends, exchange) },
  ];
}

/** The work ends when the client goes. */
async function build({ builds, containers }: Backends, exchange: Exchange): Promise<Answer> {
  const read = readBuildQuery(exchange.query, {
    apiMinor: exchange.apiMinor,
    registryConfig: exchange.header("x-registry-config"),
    resolve: (ref) => findContainer(containers, ref).id,
  });
  const abilities = containers.abilities();
  checkLimits(read.limits, abilities);
  const settings = { ...read, limits: fitLimits(read.limits, abilities).limits };
  if (exchange.flag("q")) return buildQuietly(builds, exchange, settings);
  const { apiMinor, signal } = exchange;
  return streamProgress(exchange, writeError, async (emit) => {
    const onOutput = (output: BuildOutput) => {
      const line = writeBuildOutput(output, apiMinor);
      if (line !== undefined) emit(line);
      return exchange.response.writableNeedDrain ? untilDrained(exchange) : undefined;
    };
    await builds.buildImage(exchange.bodyBytes(), settings, { signal, onOutput });
  });
}

/** Says the id and nothing else; when it fails, all that it would have said. */
async function buildQuietly(
  builds: BuildBackend,
  exchange: Exchange,
  settings: BuildSettings,
): Promise<Answer> {
  const { apiMinor, signal } = exchange;
  return streamProgress(exchange, writeError, async (emit) => {
    const kept = new LastOutput();
    const onOutput = (output: BuildOutput) => kept.add(output);
    try {
      const id = await builds.buildImage(exchange.bodyBytes(), settings, { signal, onOutput });
      emit({ stream: `${id}\n` });
    } catch (error) {
      for (const output of kept.all) {
        const line = writeBuildOutput(output, apiMinor);
        if (line !== undefined) emit(line);
      }
      throw error;
    }
  });
}

/** The cache is the steps' images, which `docker image prune` removes: there is no other. */
function prune({ events }: Backends, { query }: Exchange): Answer {
  parseFilters(query.get("filters"), PRUNE_FILTERS);
  for (const name of PRUNE_SIZES) {
    const text = query.get(name) ?? "";
    if (!/^-?\d{0,19}$/.test(text))
      throw new ClusterError(
        "InvalidArgument",
        `${name} is in bytes and expects an integer, got ${text.slice(0, 40)}`,
      );
  }
  events.pruned("builder", 0);
  return ok({ CachesDeleted: [], SpaceReclaimed: 0 });
}

/** The last of what a build has said. */
class LastOutput {
  readonly all: BuildOutput[] = [];
  #length = 0;

  add(output: BuildOutput): undefined {
    this.all.push(output);
    this.#length += lengthOf(output);
    while (this.#length > QUIET_LENGTH_MAX && this.all.length > 1) {
      const oldest = this.all.shift();
      if (oldest !== undefined) this.#length -= lengthOf(oldest);
    }
  }
}

function lengthOf(output: BuildOutput): number {
  return LINE_LENGTH + (output.kind === "text" ? output.text.length : 0);
}

/** One that could not even be started has no code here, though `docker run` would give it one. */
function writeError(message: string, error: unknown): Readonly<Record<string, unknown>> {
  const failed = error instanceof ClusterError && error.code === "Aborted";
  const code = failed ? error.details.exitCode : undefined;
  return writeBuildError(frameStartFailure(message), typeof code === "number" ? code : undefined);
}
