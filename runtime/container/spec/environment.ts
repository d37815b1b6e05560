/** Where programs are looked for when neither image nor container say. Source: moby, DefaultPathEnv. */
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Where the variables come from; later ones win. */
export interface EnvironmentSources {
  readonly hostname: string;
  readonly home: string;
  readonly tty: boolean;
  readonly links?: readonly string[];
  readonly image: readonly string[];
  readonly container: readonly string[];
}

/**
 * The environment of a container's process, in Docker's order: PATH, HOSTNAME, TERM with a terminal, of links, the
 * container's, what the image has beside these. HOME is the user's unless one of them sets it. A name of the container's without `=` removes the variable.
 */
export function planEnvironment(sources: EnvironmentSources): string[] {
  const variables = new Map<string, string>();
  variables.set("PATH", DEFAULT_PATH);
  variables.set("HOSTNAME", sources.hostname);
  if (sources.tty) variables.set("TERM", "xterm");
  for (const entry of sources.links ?? []) {
    const [name = ""] = entry.split("=", 1);
    variables.set(name, entry.slice(name.length + 1));
  }
  const own = new Set(sources.container.map(nameOf));
  const others = sources.image.filter((entry) => !own.has(nameOf(entry)));
  for (const entry of [...sources.container, ...others]) {
    const equals = entry.indexOf("=");
    if (equals === -1) variables.delete(entry);
    else variables.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  if (!variables.has("HOME")) variables.set("HOME", sources.home);
  return [...variables].map(([name, value]) => `${name}=${value}`);
}

function nameOf(entry: string): string {
  return entry.split("=", 1)[0] ?? "";
}
