import { ClusterError } from "../../core/errors.ts";
import type { Method, Route } from "../http/router.ts";

const METHODS: readonly Method[] = ["GET", "HEAD", "POST", "PUT", "DELETE"];

/** Paths of Docker's that we know and do not serve yet, by what they are about. */
const AREAS: Readonly<Record<string, readonly string[]>> = {
  containers: ["/containers/*", "/exec/*"],
  builds: ["/build", "/build/prune"],
  volumes: ["/volumes", "/volumes/*"],
  "networks of single containers": [
    "/networks/:ref/connect",
    "/networks/:ref/disconnect",
    "/networks/prune",
  ],
  plugins: ["/plugins", "/plugins/*"],
  "build sessions": ["/session", "/grpc"],
};

/** Answers 501 and says why, where `404 page not found` would make people think that their daemon is broken. */
export function unsupportedRoutes(): Route[] {
  return Object.entries(AREAS).flatMap(([area, paths]) =>
    paths.flatMap((path) => methodsOf(path).map((method) => refusing(method, path, area))),
  );
}

/** Another method of this path is a network's own. */
function methodsOf(path: string): readonly Method[] {
  return path === "/networks/prune" ? ["POST"] : METHODS;
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
