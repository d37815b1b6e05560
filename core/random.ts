/** Chance as an argument: the process passes the system's, tests and the simulation a seeded one. */
export interface Random {
  /** Uniform in `[0, 1)`. */
  next(): number;
}

/** A whole number in `[0, limit)`. */
export function randomInt(random: Random, limit: number): number {
  return Math.floor(random.next() * limit);
}

/**
 * The same numbers for the same seed, on every machine.
 *
 * Source: splitmix32 with the murmur3 finaliser; plain 32-bit arithmetic.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x9e3779b9) >>> 0;
      let mixed = state;
      mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
      mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
      return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
    },
  };
}
