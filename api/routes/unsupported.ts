import { ClusterError } from "../../core/errors.ts";
import type { Method, Route } from "../http/router.ts";
import { buildKitRefused } from "../wire/build.ts";

const METHODS: readonly Method[] = ["GET", "HEAD", "POST", "PUT", "DELETE"];

/** Paths of Docker's that we know and do not serve yet, by what they are about. */
const AREAS: Readonly<Record<string, readonly string[]>> = {
  containers: ["/containers/*"],
  "cluster volumes": ["/volumes/:name"],
  plugins: ["/plugins", "/plugins/*"],
};

/** What only BuildKit has: by these its clients find out. */
const BUILDKIT = ["/session", "/grpc", "/build/cancel"];

/** Answers 501 and says why, where `404 page not found` would make people think that their daemon is broken. */
export function unsupportedRoutes(): Route[] {
  const known = Object.entries(AREAS).flatMap(([area, paths]) =>
    paths.flatMap((path) => methodsOf(path).map((method) => refusing(method, path, area))),
  );
  const refuse = () => {
    throw buildKitRefused();
  };
  const ofBuildKit = BUILDKIT.flatMap((path) =>
    METHODS.map((method): Route => ({ method, path, handler: refuse })),
  );
  return [...known, ...ofBuildKit];
}

/** Other methods of these paths are served. */
function methodsOf(path: string): readonly Method[] {
  return path === "/volumes/:name" ? ["PUT"] : METHODS;
}

function refusing(method: Method, path: string, area: string): Route {
  return {
    method,
    path,
    handler: () => {
      const message = `${area} are not supported by this version of muster yet; what runs here are services: see 'docker service'`;
      throw new ClusterError("Unimplemented", message);
    },
  };
}
