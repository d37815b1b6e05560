import { createHash } from "node:crypto";

/** Bytes without meaning, the same each time. */
export function noise(length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, i) =>
    createHash("sha256").update(`noise ${i}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}
