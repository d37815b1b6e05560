import type { Random } from "./random.ts";

type Id<Name extends string> = string & { readonly __brand: Name };

export type ClusterId = Id<"ClusterId">;
export type NodeId = Id<"NodeId">;
export type ServiceId = Id<"ServiceId">;
export type TaskId = Id<"TaskId">;
export type NetworkId = Id<"NetworkId">;
export type ConfigId = Id<"ConfigId">;
export type SecretId = Id<"SecretId">;

/** Swarm objects have ids of 25 characters from 0-9a-z, as in Docker: over 2^128 values. */
export const ID_LENGTH = 25;
const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";

/** A new id of a swarm object; the type names whose. */
export function newId<T extends string>(random: Random): T {
  let id = "";
  for (let i = 0; i < ID_LENGTH; i++) id += ALPHABET[Math.floor(random.next() * ALPHABET.length)];
  return id as T;
}
