import type { ResolveHook } from "node:module";

const ROOT = new URL("../../../", import.meta.url).href;
const SOURCE = new RegExp(`^${ROOT}((?:core|proto|raft-ts|manager)/.*)\\.ts$`);

/** The product's modules are those that were built, as they are installed; the bench's own are taken as they are. */
export const resolve: ResolveHook = async (specifier, context, nextResolve) => {
  const resolved = await nextResolve(specifier, context);
  const [, path] = SOURCE.exec(resolved.url) ?? [];
  if (path === undefined) return resolved;
  return { url: `${ROOT}dist/${path}.js`, format: "module", shortCircuit: true };
};
