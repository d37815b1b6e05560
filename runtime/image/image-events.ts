import type { EventSink } from "../events/types.ts";
import { familiarReference, familiarRepository, type Reference } from "./reference.ts";
import type { Digest, Image } from "./types.ts";

/** Says what happens to images. Source: moby, daemon/images/image_events.go, for who is the actor of what. */
export class ImageEvents {
  readonly #sink: EventSink;

  constructor(sink: EventSink) {
    this.#sink = sink;
  }

  /** A name came from or went to a registry. */
  transferred(action: "pull" | "push", reference: Reference, image: Image): void {
    const name = familiarRepository(reference);
    this.#say(action, familiarReference(reference), { ...image.config.labels, name });
  }

  tagged(image: Image, reference: Reference): void {
    this.#say("tag", image.id, { ...image.config.labels, name: familiarReference(reference) });
  }

  /** Something about an image by its id. @param image undefined: it is gone, and its labels with it. */
  happened(
    action: "load" | "save" | "import" | "untag" | "delete",
    id: Digest,
    image?: Image,
  ): void {
    this.#say(action, id, { ...image?.config.labels, name: id });
  }

  pruned(reclaimedBytes: number): void {
    this.#say("prune", "", { reclaimed: String(reclaimedBytes) });
  }

  #say(action: string, actorId: string, attributes: Readonly<Record<string, string>>): void {
    this.#sink.publish({ type: "image", action, actorId, attributes });
  }
}
