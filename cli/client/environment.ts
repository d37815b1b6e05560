/** Variables of this process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** `MUSTER_<name>`, else `DOCKER_<name>`; an empty one is none. */
export function variable(env: Environment, name: string): string | undefined {
  return env[`MUSTER_${name}`] || env[`DOCKER_${name}`] || undefined;
}
