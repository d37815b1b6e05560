import { randomBytes } from "node:crypto";
import type { Random } from "./random.ts";

/** The kernel's randomness: fit for ids, not for keys (those take bytes directly). */
export const systemRandom: Random = {
  next: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
};
