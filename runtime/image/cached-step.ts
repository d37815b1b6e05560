import { type JsonObject, listAt, objectAt, optionalObjectAt, textAt, textsAt } from "./json.ts";
import { LAYERS_MAX } from "./manifest.ts";

/** What of another image's history is the step that is wanted. */
export interface CachedStep {
  /** The step's own entry. */
  readonly entry: JsonObject;
  /** Which of the image's layers it made; undefined: none. */
  readonly layer: number | undefined;
  /** With it the image is whole: it is what is wanted. */
  readonly isLast: boolean;
}

const HISTORY_MAX = 10_000;

/**
 * Finds a step in the history of an image that may have been built elsewhere: it must go on from all that `base` is.
 *
 * @param base the configuration document of what the step is done over; undefined: nothing.
 * @param createdBy what the history says of the step.
 * @throws {ClusterError} InvalidArgument for a document that is none.
 * Source: moby, image/cache/cache.go.
 */
export function findCachedStep(
  base: JsonObject | undefined,
  source: JsonObject,
  createdBy: string,
): CachedStep | undefined {
  const before = base === undefined ? [] : historyOf(base);
  const history = historyOf(source);
  const entry = history[before.length];
  if (entry === undefined || textAt(entry.created_by, "image history") !== createdBy)
    return undefined;
  if (!before.every((step, index) => isSame(step, history[index]))) return undefined;
  const below = base === undefined ? [] : layersOf(base);
  const layers = layersOf(source);
  if (!below.every((layer, index) => layer === layers[index])) return undefined;
  const made = history.slice(0, before.length).filter((step) => step.empty_layer !== true).length;
  // Of an image that does not tell all its layers nobody knows which is whose.
  if (made !== below.length) return undefined;
  const hasLayer = entry.empty_layer !== true;
  if (hasLayer && layers[made] === undefined) return undefined;
  return {
    entry,
    layer: hasLayer ? made : undefined,
    isLast: history.length === before.length + 1,
  };
}

function historyOf(document: JsonObject): readonly JsonObject[] {
  return listAt(document.history, "image history", HISTORY_MAX).map((step) =>
    objectAt(step, "image history"),
  );
}

function layersOf(document: JsonObject): readonly string[] {
  const rootfs = optionalObjectAt(document.rootfs, "image rootfs");
  return textsAt(rootfs.diff_ids, "image diff_ids", LAYERS_MAX);
}

function isSame(a: JsonObject, b: JsonObject | undefined): boolean {
  const fields = (step: JsonObject) => JSON.stringify(Object.entries(step).toSorted());
  return b !== undefined && fields(a) === fields(b);
}
