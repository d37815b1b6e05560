import type { RegistryBackend } from "../../api/backends/registries.ts";
import type { Images } from "../../runtime/image/types.ts";

/** A registry gets this long to say whether somebody may come in, or what it has. */
const ANSWER_TIMEOUT_MS = 30_000;

/** Registries as the API asks them. */
export function newRegistries(images: Pick<Images, "login" | "search">): RegistryBackend {
  const within = (signal: AbortSignal) =>
    AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
  return {
    login: ({ serverAddress, ...credentials }, signal) =>
      images.login(serverAddress, { ...credentials, registryToken: "" }, within(signal)),
    searchImages: (term, limit, signal) => images.search(term, limit, within(signal)),
  };
}
