import findMyWay, { type HTTPMethod } from "find-my-way";
import type { Route } from "./router.ts";

/** A route that was found and what the path says in its parameters, decoded. */
export interface FoundRoute {
  readonly route: Route;
  readonly params: Readonly<Record<string, string | undefined>>;
}

/** What stands behind the star: `/json` after an image's name; empty when the star is last. */
interface Ending {
  readonly suffix: string;
  readonly route: Route;
}

/** Longer than any name of an image. */
const PARAM_LENGTH_MAX = 4096;

/**
 * Finds routes by method and path.
 *
 * Beside find-my-way's `:name` and last `*`, a path may have a `*` before its last part, which takes slashes too: names of
 * images have them. Of several such paths the longest ending wins.
 */
export class RouteTable {
  readonly #router = findMyWay({ ignoreTrailingSlash: true, maxParamLength: PARAM_LENGTH_MAX });

  constructor(routes: readonly Route[]) {
    const starred = new Map<string, Ending[]>();
    for (const route of routes) {
      const star = route.path.indexOf("*");
      if (star === -1) this.#add(route.method, route.path, [{ suffix: "", route }]);
      else {
        const key = `${route.method} ${route.path.slice(0, star + 1)}`;
        const ending = { suffix: route.path.slice(star + 1), route };
        starred.set(key, [...(starred.get(key) ?? []), ending]);
      }
    }
    for (const [key, endings] of starred) {
      const [method = "", path = ""] = key.split(" ");
      const longestFirst = endings.toSorted((a, b) => b.suffix.length - a.suffix.length);
      this.#add(method, path, longestFirst);
    }
  }

  find(method: string, path: string): FoundRoute | undefined {
    const found = this.#router.find(method as HTTPMethod, path);
    if (found === null) return undefined;
    const { "*": rest } = found.params;
    for (const { suffix, route } of found.store as readonly Ending[]) {
      if (rest === undefined) return { route, params: found.params };
      const name = withoutEnd(rest, suffix);
      if (name !== undefined) return { route, params: { ...found.params, "*": name } };
    }
    return undefined;
  }

  #add(method: string, path: string, endings: readonly Ending[]): void {
    this.#router.on(method as HTTPMethod, path, () => {}, endings);
  }
}

/** What stands before `suffix`; undefined when it does not end so, or nothing stands there. */
function withoutEnd(text: string, suffix: string): string | undefined {
  const trimmed = text.replace(/\/$/, "");
  if (!trimmed.endsWith(suffix) || trimmed.length === suffix.length) return undefined;
  return trimmed.slice(0, trimmed.length - suffix.length);
}
