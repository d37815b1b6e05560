import { ClusterError } from "../../core/errors.ts";
import type { PayloadPiece } from "../../proto/gen/dispatcher.ts";
import { CONFIG_BYTES_MAX } from "../../proto/limits.ts";

/** Configs and secrets of one session, put together from their pieces. In memory only: what they hold is never written. */
export class PayloadBook {
  readonly #whole = new Map<string, Buffer>();
  #partial: { readonly id: string; readonly data: Buffer; filled: number } | undefined;

  /** What is in it; undefined when it did not come: it was removed from the swarm. */
  find(id: string): Buffer | undefined {
    return this.#whole.get(id);
  }

  /** @throws {ClusterError} `DataLoss` for a piece that does not continue the one before; it is not quoted. */
  put({ id, totalBytes, offset, data }: PayloadPiece): void {
    if (offset === 0) {
      if (totalBytes < 1 || totalBytes > CONFIG_BYTES_MAX) throw broken(id, "its size cannot be");
      this.#partial = { id, data: Buffer.alloc(totalBytes), filled: 0 };
    }
    const partial = this.#partial;
    if (partial?.id !== id || partial.filled !== offset || partial.data.length !== totalBytes) {
      throw broken(id, "a piece is missing");
    }
    if (data.length === 0 || offset + data.length > totalBytes) throw broken(id, "it is too long");
    data.copy(partial.data, offset);
    partial.filled += data.length;
    if (partial.filled < totalBytes) return;
    this.#whole.set(id, partial.data);
    this.#partial = undefined;
  }

  remove(id: string): void {
    this.#whole.delete(id);
  }
}

function broken(id: string, why: string): ClusterError {
  return new ClusterError("DataLoss", `cannot follow the assignments: payload ${id}: ${why}`);
}
