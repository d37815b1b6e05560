import { ClusterError } from "../../core/errors.ts";
import type { Method, Route } from "../http/router.ts";
import { buildKitRefused } from "../wire/build.ts";

const METHODS: readonly Method[] = ["GET", "HEAD", "POST", "PUT", "DELETE"];

/** What only BuildKit has: by these its clients find out. */
const BUILDKIT = ["/session", "/grpc", "/build/cancel"];

/** What Docker has where its daemon is experimental. */
const CHECKPOINTS = ["/containers/:ref/checkpoints", "/containers/:ref/checkpoints/:name"];

/** Answers 501 and says why, where `404 page not found` would make people think that their daemon is broken. */
export function unsupportedRoutes(): Route[] {
  return [
    ...BUILDKIT.flatMap((path) => refusing(path, buildKitRefused)),
    ...CHECKPOINTS.flatMap((path) => refusing(path, checkpointsRefused)),
  ];
}

function refusing(path: string, error: () => ClusterError): Route[] {
  const handler = () => {
    throw error();
  };
  return METHODS.map((method) => ({ method, path, handler }));
}

function checkpointsRefused(): ClusterError {
  return new ClusterError(
    "Unimplemented",
    "checkpoints are not supported by muster: 'docker commit' keeps a container's files, 'docker pause' holds its processes",
  );
}
