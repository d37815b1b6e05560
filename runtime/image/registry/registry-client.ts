import { ClusterError, errorMessage } from "../../../core/errors.ts";
import { isDigest } from "../digest.ts";
import { MANIFEST_ACCEPT, MANIFEST_BYTES_MAX } from "../manifest.ts";
import {
  familiarReference,
  familiarRepository,
  type Reference,
  tagOrDigest,
} from "../reference.ts";
import { digestOf } from "../store/content-store.ts";
import type { Credentials, Digest, RegistryOptions, SearchResult } from "../types.ts";
import { DOCKER_HUB, type Endpoint, type EndpointOptions, endpointsOf } from "./endpoints.ts";
import { RegistryHttp } from "./http.ts";
import { loginAt } from "./login.ts";
import { readBounded } from "./read-bounded.ts";
import { isTransient, type Subject } from "./registry-errors.ts";
import { Repository } from "./repository.ts";
import { withRetries } from "./retry.ts";
import { searchAt } from "./search.ts";
import { listTags } from "./tags.ts";

/** A manifest or index as a registry gave it. */
export interface RemoteManifest {
  readonly bytes: Uint8Array;
  readonly digest: Digest;
}

const HUB_INDEX: Endpoint = {
  baseUrl: "https://index.docker.io",
  insecure: false,
  mirror: false,
};

/** A manifest and where it was found. */
export interface FoundManifest {
  readonly repository: Repository;
  readonly manifest: RemoteManifest;
}

/** Finds registries and talks to them. Source: OCI distribution-spec 1.1; distribution, "HTTP API V2". */
export class RegistryClient {
  readonly #http = new RegistryHttp();
  #options: EndpointOptions;
  /** Registry → the endpoint that answered last: spares asking those without TLS for it every time. */
  readonly #working = new Map<string, Endpoint>();

  constructor(options: EndpointOptions) {
    this.#options = options;
  }

  /** From the next request on. */
  setEndpoints(options: EndpointOptions): void {
    this.#options = options;
    this.#working.clear();
  }

  /**
   * Fetches the manifest and says which repository gave it: the layers are there too. Mirrors are asked first and may fail.
   *
   * @throws {ClusterError} NotFound, Unauthenticated, PermissionDenied, Unavailable, DataLoss, Cancelled.
   */
  fetchManifest(reference: Reference, options: RegistryOptions): Promise<FoundManifest> {
    return this.#atFirst(reference, "pull", options, async (repository) => ({
      repository,
      manifest: await getManifest(repository, tagOrDigest(reference)),
    }));
  }

  /**
   * The repository to push to.
   *
   * @throws {ClusterError} Unavailable, Cancelled.
   */
  openForPush(reference: Reference, options: RegistryOptions): Promise<Repository> {
    return this.#atFirst(reference, "push", options, (repository) => Promise.resolve(repository));
  }

  /**
   * All tags of the reference's repository, whatever its own tag.
   *
   * @throws {ClusterError} as `fetchManifest`.
   */
  listTags(reference: Reference, options: RegistryOptions): Promise<readonly string[]> {
    return this.#atFirst(reference, "pull", options, listTags);
  }

  /** @throws {ClusterError} as `loginAt`. */
  login(domain: string, credentials: Credentials, signal?: AbortSignal): Promise<string> {
    return this.#reachable(domain, "push", signal, (endpoint) =>
      loginAt(this.#http, endpoint, credentials, signal),
    );
  }

  /** @throws {ClusterError} as `searchAt`. */
  async search(
    { domain, term }: { readonly domain: string; readonly term: string },
    limit: number,
    signal?: AbortSignal,
  ): Promise<readonly SearchResult[]> {
    const query = { term, limit, signal };
    // Docker Hub's index is not where its registry is.
    if (domain === DOCKER_HUB) return this.#searchHub(query);
    return this.#reachable(domain, "push", signal, (endpoint) =>
      searchAt(this.#http, endpoint, query),
    );
  }

  async #searchHub(query: Parameters<typeof searchAt>[2]): Promise<readonly SearchResult[]> {
    try {
      return await searchAt(this.#http, HUB_INDEX, query);
    } catch (error) {
      if (!isTransient(error)) throw error;
      const message = `cannot search Docker Hub: ${errorMessage(error)}`;
      throw new ClusterError("Unavailable", message, { cause: error });
    }
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  #atFirst<T>(
    reference: Reference,
    action: Subject["action"],
    options: RegistryOptions,
    work: (repository: Repository) => Promise<T>,
  ): Promise<T> {
    return this.#reachable(reference.domain, action, options.signal, (endpoint) =>
      work(this.#repository(endpoint, reference, action, options)),
    );
  }

  /** Does `work` at the first endpoint that answers; at a mirror, which only pulls have, it has to succeed too. */
  async #reachable<T>(
    domain: string,
    action: Subject["action"],
    signal: AbortSignal | undefined,
    work: (endpoint: Endpoint) => Promise<T>,
  ): Promise<T> {
    let failure: unknown;
    for (const endpoint of this.#endpoints(domain, action)) {
      try {
        await this.#reach(endpoint, domain, signal);
        return await work(endpoint);
      } catch (error) {
        failure = error;
        if (!endpoint.mirror && !this.#forget(domain, error)) break;
      }
    }
    throw failure;
  }

  #endpoints(domain: string, action: Subject["action"]): readonly Endpoint[] {
    const working = this.#working.get(domain);
    const all = endpointsOf(domain, this.#options);
    const mirrors = action === "pull" ? all.filter(({ mirror }) => mirror) : [];
    return [...mirrors, ...(working ? [working] : all.filter(({ mirror }) => !mirror))];
  }

  /** Any answer will do: whether it lets us in is seen later. */
  async #reach(endpoint: Endpoint, domain: string, signal: AbortSignal | undefined): Promise<void> {
    if (this.#working.get(domain) === endpoint) return;
    const url = new URL(`${endpoint.baseUrl}/v2/`);
    const response = await this.#http.send(endpoint, { method: "GET", url, headers: {}, signal });
    await response.body.dump();
    if (!endpoint.mirror) this.#working.set(domain, endpoint);
  }

  /** @returns whether the failure was one of reaching it, so that another endpoint is worth trying. */
  #forget(domain: string, error: unknown): boolean {
    if (!isTransient(error)) return false;
    this.#working.delete(domain);
    return true;
  }

  #repository(
    endpoint: Endpoint,
    reference: Reference,
    action: Subject["action"],
    { credentials, signal }: RegistryOptions,
  ): Repository {
    const subject = {
      reference: familiarReference(reference),
      repository: familiarRepository(reference),
      action,
    };
    return new Repository(this.#http, {
      endpoint,
      path: reference.path,
      subject,
      credentials,
      signal,
    });
  }
}

/**
 * Fetches a manifest by tag or digest; what a digest names is checked against it.
 *
 * @throws {ClusterError} as `Repository.send`; DataLoss; ResourceExhausted above MANIFEST_BYTES_MAX.
 */
export async function getManifest(repository: Repository, target: string): Promise<RemoteManifest> {
  return withRetries(async () => {
    const asked = {
      method: "GET",
      target: `manifests/${target}`,
      headers: { accept: MANIFEST_ACCEPT },
    } as const;
    const response = await repository.send(asked, [200]);
    const bytes = await readBounded(response, repository, MANIFEST_BYTES_MAX);
    const digest = digestOf(bytes);
    if (isDigest(target) && target !== digest)
      throw new ClusterError(
        "DataLoss",
        `${repository.host} answered for ${repository.subject.reference} with digest ${digest}, wanted ${target}`,
      );
    return { bytes, digest };
  }, repository.signal);
}
