import type { StoreEvent } from "../../../manager/store/apply.ts";
import { type AnyObject, keyOf } from "../../../manager/store/objects.ts";
import type { Store } from "../../../manager/store/store.ts";
import type { Cursor } from "../../../manager/store/watch-queue.ts";
import { allObjects } from "./all-objects.ts";

/**
 * Follows a store as its components do and checks what a watch promises: WatchOrdered, WatchUnique (each event once),
 * WatchReliable (none is missing: the events alone give the state).
 */
export class WatchCheck {
  readonly #store: Store;
  readonly #violate: (what: string) => void;
  readonly #cursor: Cursor;
  #known = new Map<string, unknown>();
  #index = 0;

  constructor(store: Store, violate: (what: string) => void) {
    this.#store = store;
    this.#violate = violate;
    this.#cursor = store.watch();
    this.#readAll();
  }

  follow(): void {
    void this.#cursor.ready().then(() => {
      this.#take();
      this.follow();
    });
  }

  #take(): void {
    const batch = this.#cursor.take();
    if (batch.kind === "resync") {
      this.#readAll();
      return;
    }
    for (const event of batch.events) this.#onEvent(event);
    this.#compare();
  }

  #onEvent({ kind, index, before, after }: StoreEvent): void {
    if (index < this.#index)
      this.#violate(`WatchOrdered: an event of ${index} after ${this.#index}`);
    this.#index = index;
    const key = `${kind}/${keyOf({ $case: kind, value: after ?? before } as AnyObject)}`;
    const known = this.#known.get(key);
    if (known === after && known !== before) {
      this.#violate(`WatchUnique: the change of ${key} at ${index} came twice`);
    } else if (known !== before) {
      this.#violate(`WatchReliable: a change of ${key} before ${index} did not come`);
    }
    if (after === undefined) this.#known.delete(key);
    else this.#known.set(key, after);
  }

  #compare(): void {
    let count = 0;
    for (const object of allObjects(this.#store.view())) {
      count++;
      if (this.#known.get(`${object.$case}/${keyOf(object)}`) !== object.value) {
        this.#violate(`WatchReliable: the events do not give ${object.$case} ${keyOf(object)}`);
      }
    }
    if (count !== this.#known.size) this.#violate("WatchReliable: the events leave what is gone");
  }

  #readAll(): void {
    this.#known = new Map();
    for (const object of allObjects(this.#store.view())) {
      this.#known.set(`${object.$case}/${keyOf(object)}`, object.value);
    }
    this.#index = this.#store.view().index;
  }
}
