/** The path of an image in the API; its name may have slashes. */
export function imagePath(ref: string): string {
  return `/images/${encodeURIComponent(ref)}`;
}

/** The name and the `tag` parameter of a reference: its tag, its digest, or `latest`. */
export function splitTag(ref: string): { readonly name: string; readonly tag: string } {
  const at = ref.indexOf("@");
  if (at !== -1) return { name: ref.slice(0, at), tag: ref.slice(at + 1) };
  const colon = ref.indexOf(":", ref.lastIndexOf("/") + 1);
  if (colon === -1) return { name: ref, tag: "latest" };
  return { name: ref.slice(0, colon), tag: ref.slice(colon + 1) };
}

/** Whether it says which image of its repository is meant. */
export function hasTag(ref: string): boolean {
  return ref.includes("@") || ref.includes(":", ref.lastIndexOf("/") + 1);
}
