import type { CopyInstruction } from "../dockerfile/instruction.ts";

/** What the history says of COPY and ADD, which is what the cache goes by. @param what the digest of all that is copied. */
export function copyComment(step: CopyInstruction, what: string): string {
  const { kind, chown, chmod, target } = step;
  const flags = [
    ...(chown === "" ? [] : [`--chown=${chown}`]),
    ...(chmod === "" ? [] : [`--chmod=${chmod}`]),
  ];
  return [kind.toUpperCase(), ...flags, what, "in", target, ""].join(" ");
}
