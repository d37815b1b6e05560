/** JSON that is being put together. */
export type Json = Record<string, unknown>;

/** What `POST /containers/create` takes. */
export interface ContainerBody extends Json {
  readonly Image: string;
}

/** The object at `key`, made when it is not there. */
export function child(parent: Json, key: string): Json {
  const value = parent[key];
  if (typeof value === "object" && value !== null) return value as Json;
  const made: Json = {};
  parent[key] = made;
  return made;
}

/** Adds to the list at `key`, made when it is not there. */
export function append(parent: Json, key: string, ...items: readonly unknown[]): void {
  const value = parent[key];
  parent[key] = [...(Array.isArray(value) ? (value as unknown[]) : []), ...items];
}
