/**
 * The reference that a name and a `tag` parameter make together; the parameter may be a digest, and replaces what the name
 * has of its kind.
 */
export function withTag(name: string, tag: string): string {
  if (tag === "") return name;
  const bare = name.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
  return tag.includes(":") ? `${bare}@${tag}` : `${bare}:${tag}`;
}

/** Whether it names a repository and not one image of it. */
export function isBareName(name: string): boolean {
  return !/@|:[^/]*$/.test(name);
}
