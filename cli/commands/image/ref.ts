import { ClusterError } from "../../../core/errors.ts";

/** The path of an image in the API; its name may have slashes. */
export function imagePath(ref: string): string {
  return `/images/${encodeURIComponent(ref)}`;
}

/**
 * The name and the `tag` parameter of a reference: its tag, its digest, or `latest`.
 *
 * @throws {ClusterError} `InvalidArgument` where the daemon would see another reference in the two than was written.
 */
export function splitTag(ref: string): { readonly name: string; readonly tag: string } {
  const at = ref.indexOf("@");
  if (at !== -1) return { name: ref.slice(0, at), tag: ref.slice(at + 1) };
  const colon = ref.indexOf(":", ref.lastIndexOf("/") + 1);
  if (ref === "") throw invalidReference(ref);
  if (colon === -1) return { name: ref, tag: "latest" };
  const [name, tag] = [ref.slice(0, colon), ref.slice(colon + 1)];
  if (name === "" || tag === "" || tag.includes(":")) throw invalidReference(ref);
  return { name, tag };
}

/** Whether it says which image of its repository is meant. */
export function hasTag(ref: string): boolean {
  return ref.includes("@") || ref.includes(":", ref.lastIndexOf("/") + 1);
}

function invalidReference(ref: string): ClusterError {
  return new ClusterError(
    "InvalidArgument",
    `invalid reference format: "${ref}": write it like web:1`,
  );
}
