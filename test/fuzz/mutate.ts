import fc from "fast-check";

/** Most changes made to one input: enough to come past a first check, few enough to stay near what is valid. */
const CHANGES_MAX = 8;
const PIECE_BYTES_MAX = 64;
/** Bytes that parsers care about. */
const LOADED = [0, 0x0a, 0x0d, 0x20, 0x22, 0x24, 0x2e, 0x2f, 0x30, 0x3a, 0x5c, 0x7f, 0x80, 0xff];

type Change =
  | { readonly kind: "set" | "insert"; readonly at: number; readonly bytes: readonly number[] }
  | { readonly kind: "drop"; readonly at: number; readonly length: number }
  | { readonly kind: "repeat"; readonly at: number; readonly length: number }
  | { readonly kind: "splice"; readonly at: number; readonly other: number };

/** A place, as a share of the input's length: it then fits inputs of any length. */
const place = fc.double({ min: 0, max: 1, noNaN: true });
const bytes = fc.array(fc.oneof(fc.constantFrom(...LOADED), fc.nat(255)), {
  minLength: 1,
  maxLength: 8,
});
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constantFrom("set" as const, "insert" as const), at: place, bytes }),
  fc.record({
    kind: fc.constantFrom("drop" as const, "repeat" as const),
    at: place,
    length: fc.integer({ min: 1, max: PIECE_BYTES_MAX }),
  }),
  fc.record({ kind: fc.constant("splice" as const), at: place, other: place }),
);

/** One of some valid inputs with a few changes. */
export function mutated(valid: readonly Uint8Array[]): fc.Arbitrary<Buffer> {
  const changes = fc.array(change, { maxLength: CHANGES_MAX });
  return fc
    .tuple(fc.constantFrom(...valid), fc.constantFrom(...valid), changes)
    .map(([start, other, list]) =>
      list.reduce<Buffer>((input, one) => apply(input, one, other), Buffer.from(start)),
    );
}

/** The same of texts; what is no UTF-8 any more becomes what a reader makes of it. */
export function mutatedText(valid: readonly string[]): fc.Arbitrary<string> {
  return mutated(valid.map((text) => Buffer.from(text))).map((input) => input.toString());
}

function apply(input: Buffer, one: Change, donor: Uint8Array): Buffer {
  const at = Math.floor(one.at * input.length);
  const [before, after] = [input.subarray(0, at), input.subarray(at)];
  switch (one.kind) {
    case "set":
      return Buffer.concat([before, Buffer.from(one.bytes), after.subarray(one.bytes.length)]);
    case "insert":
      return Buffer.concat([before, Buffer.from(one.bytes), after]);
    case "drop":
      return Buffer.concat([before, after.subarray(one.length)]);
    case "repeat":
      return Buffer.concat([before, after.subarray(0, one.length), after]);
    case "splice":
      return Buffer.concat([before, donor.subarray(Math.floor(one.other * donor.length))]);
  }
}
