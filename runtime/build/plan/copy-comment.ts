import type { CopyInstruction } from "../dockerfile/instruction.ts";

/** What the history says of COPY and ADD, which is what the cache goes by. @param what the digest of all that is copied. */
export function copyComment(step: CopyInstruction, what: string): string {
  const { kind, chown, chmod, target } = step;
  // Docker knows no --chmod here, and puts nothing between the owner and the digest.
  const mode = chmod === "" ? "" : `--chmod=${chmod} `;
  const owner = chown === "" ? "" : `--chown=${chown}`;
  return [kind.toUpperCase(), `${mode}${owner}${what}`, "in", target, ""].join(" ");
}
