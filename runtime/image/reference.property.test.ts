import fc from "fast-check";
import { ClusterError } from "../../core/errors.ts";
import {
  familiarReference,
  formatReference,
  parseReference,
  REFERENCE_LENGTH_MAX,
} from "./reference.ts";

const HEX = "0123456789abcdef".repeat(4);
const DIGEST = `sha256:${HEX}`;

describe("image reference, of any text", () => {
  it("throws nothing but InvalidArgument, and what it accepts reads back as itself", () => {
    const nearly = fc
      .array(
        fc.constantFrom(
          "a",
          "Z",
          "0",
          ".",
          "-",
          "_",
          "/",
          ":",
          "@",
          "localhost",
          "[::1]",
          DIGEST,
          HEX,
          " ",
        ),
        { maxLength: 12 },
      )
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(nearly, fc.string(), fc.string({ unit: "binary" })), (text) => {
        let reference: ReturnType<typeof parseReference>;
        try {
          reference = parseReference(text);
        } catch (error) {
          return error instanceof ClusterError && error.code === "InvalidArgument";
        }
        const whole = formatReference(reference);
        return (
          text.length <= REFERENCE_LENGTH_MAX &&
          formatReference(parseReference(whole)) === whole &&
          formatReference(parseReference(familiarReference(reference))) === whole
        );
      }),
      { numRuns: 500 },
    );
  });
});
