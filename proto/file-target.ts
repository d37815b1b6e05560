/** Where a container finds a config or secret: an absolute name is the path itself. Source: moby, container/container_unix.go. */
export function fileTargetPath(kind: "config" | "secret", name: string): string {
  if (name.startsWith("/")) return name;
  return kind === "secret" ? `/run/secrets/${name}` : `/${name}`;
}
