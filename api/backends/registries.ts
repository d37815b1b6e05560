/** What registries say, asked by this machine. */
export interface RegistryBackend {
  /**
   * Finds out whether a registry lets somebody in.
   *
   * @returns a token to use instead of the password; empty: there is none.
   * @throws {ClusterError} `Unauthenticated`, `Unavailable`.
   */
  login(login: RegistryLogin, signal: AbortSignal): Promise<string>;
  /** @throws {ClusterError} `Unavailable`, `FailedPrecondition` (it has no index). */
  searchImages(term: string, limit: number, signal: AbortSignal): Promise<readonly SearchResult[]>;
}

export interface RegistryLogin {
  /** `host[:port]`, a URL, or empty for Docker Hub. */
  readonly serverAddress: string;
  readonly username: string;
  readonly password: string;
  readonly identityToken: string;
}

export interface SearchResult {
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  readonly isOfficial: boolean;
  readonly isAutomated: boolean;
}
