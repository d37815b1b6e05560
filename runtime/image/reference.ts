import { ClusterError } from "../../core/errors.ts";
import { isDigest } from "./digest.ts";
import type { Digest } from "./types.ts";

/** A name in a registry, made whole: `nginx` is `docker.io/library/nginx:latest`. */
export interface Reference {
  /** `host[:port]`. */
  readonly domain: string;
  /** The repository inside the registry: `library/nginx`. */
  readonly path: string;
  /** Empty only beside a digest. */
  readonly tag: string;
  /** When given it decides, whatever the tag. */
  readonly digest: Digest | undefined;
}

/** Of domain and path together. Source: distribution/reference, NameTotalLengthMax. */
export const NAME_LENGTH_MAX = 255;
const TAG_LENGTH_MAX = 128;
const DIGEST_LENGTH = 71;
/** The longest that can be valid: `name:tag@digest`. */
export const REFERENCE_LENGTH_MAX = NAME_LENGTH_MAX + 1 + TAG_LENGTH_MAX + 1 + DIGEST_LENGTH;

const DEFAULT_DOMAIN = "docker.io";
const LEGACY_DEFAULT_DOMAIN = "index.docker.io";
const HUB_HOSTS = [DEFAULT_DOMAIN, LEGACY_DEFAULT_DOMAIN, "registry-1.docker.io"];
const OFFICIAL_PREFIX = "library/";
const DEFAULT_TAG = "latest";
const PORT_MAX = 65_535;

const LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const DOMAIN = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::([0-9]{1,5}))?$`);
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const IDENTIFIER = /^[0-9a-f]{64}$/;

/**
 * Reads what a person typed and makes it whole.
 *
 * A first part with a dot, a colon or upper case, or `localhost`, is a registry; else the registry is docker.io, and there
 * a name without a slash is under `library/`. Without tag and digest the tag is `latest`.
 *
 * @throws {ClusterError} InvalidArgument, whatever the text.
 * Source: distribution/reference, reference.go (grammar) and normalize.go.
 */
export function parseReference(text: string): Reference {
  if (text.length > REFERENCE_LENGTH_MAX)
    throw invalid(text, `longer than ${REFERENCE_LENGTH_MAX} characters`);
  if (IDENTIFIER.test(text)) throw invalid(text, "64 hexadecimal characters are an id, not a name");

  const [beforeDigest, digest] = splitDigest(text);
  const [name, tag] = splitTag(beforeDigest, text);
  const { domain, path } = splitDomain(name);
  checkDomain(domain, text);
  checkPath(path, text);
  if (domain.length + 1 + path.length > NAME_LENGTH_MAX)
    throw invalid(text, `the name is longer than ${NAME_LENGTH_MAX} characters`);
  return { domain, path, tag: tag === "" && digest === undefined ? DEFAULT_TAG : tag, digest };
}

/**
 * Reads the address of a registry, as logins have it: `host[:port]`, maybe with a scheme before and a path behind it.
 *
 * @throws {ClusterError} InvalidArgument.
 */
export function parseDomain(text: string): string {
  const host = text.replace(/^https?:\/\//, "").replace(/\/.*$/s, "");
  if (host === "" || HUB_HOSTS.includes(host)) return DEFAULT_DOMAIN;
  checkDomain(host, text);
  return host;
}

/** The whole name without tag and digest: `docker.io/library/nginx`. */
export function repositoryName(reference: Reference): string {
  return `${reference.domain}/${reference.path}`;
}

/** What people type for the repository: `nginx`. Reads back as the same repository. */
export function familiarRepository(reference: Reference): string {
  const { domain, path } = reference;
  if (domain !== DEFAULT_DOMAIN) return repositoryName(reference);
  const [first = "", second, ...rest] = path.split("/");
  if (`${first}/` === OFFICIAL_PREFIX && second !== undefined && rest.length === 0) return second;
  return looksLikeDomain(first) ? repositoryName(reference) : path;
}

/** @throws {ClusterError} InvalidArgument for a name that reads as a digest: `sha256:abc`. Source: moby, reference/store.go. */
export function checkNotAlgorithm(reference: Reference): void {
  if (familiarRepository(reference) !== "sha256") return;
  const reason = "refusing to create an ambiguous tag using digest algorithm as name";
  throw new ClusterError("InvalidArgument", reason);
}

/** The whole reference: `docker.io/library/nginx:latest`. */
export function formatReference(reference: Reference): string {
  return repositoryName(reference) + suffix(reference);
}

/** The reference as people type it: `nginx:latest`. */
export function familiarReference(reference: Reference): string {
  return familiarRepository(reference) + suffix(reference);
}

/** What a registry's API calls this: the digest, else the tag. */
export function tagOrDigest(reference: Reference): string {
  return reference.digest ?? reference.tag;
}

/** The same repository by digest alone. */
export function withDigest(reference: Reference, digest: Digest): Reference {
  return { ...reference, tag: "", digest };
}

function suffix({ tag, digest }: Reference): string {
  return (tag === "" ? "" : `:${tag}`) + (digest === undefined ? "" : `@${digest}`);
}

function splitDigest(text: string): [string, Digest | undefined] {
  const at = text.indexOf("@");
  if (at === -1) return [text, undefined];
  const digest = text.slice(at + 1);
  if (!isDigest(digest))
    throw invalid(text, "the digest must be sha256: and 64 lower-case hexadecimal characters");
  return [text.slice(0, at), digest];
}

function splitTag(text: string, whole: string): [string, string] {
  const colon = text.indexOf(":", text.lastIndexOf("/") + 1);
  if (colon === -1) return [text, ""];
  const tag = text.slice(colon + 1);
  if (!TAG.test(tag))
    throw invalid(whole, "a tag is up to 128 letters, digits, dots, dashes and underscores");
  return [text.slice(0, colon), tag];
}

/** The registry of a search and what is searched for there. */
export function splitSearchTerm(term: string): { readonly domain: string; readonly term: string } {
  const slash = term.indexOf("/");
  const first = term.slice(0, Math.max(slash, 0));
  if (slash === -1 || !looksLikeDomain(first)) return { domain: DEFAULT_DOMAIN, term };
  return { domain: parseDomain(first), term: term.slice(slash + 1) };
}

function splitDomain(name: string): { readonly domain: string; readonly path: string } {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  const given = slash !== -1 && looksLikeDomain(first);
  const domain = given ? first : DEFAULT_DOMAIN;
  const path = given ? name.slice(slash + 1) : name;
  if (domain !== DEFAULT_DOMAIN && domain !== LEGACY_DEFAULT_DOMAIN) return { domain, path };
  return { domain: DEFAULT_DOMAIN, path: path.includes("/") ? path : OFFICIAL_PREFIX + path };
}

function looksLikeDomain(first: string): boolean {
  return /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
}

function checkDomain(domain: string, whole: string): void {
  const match = DOMAIN.exec(domain);
  if (match === null)
    throw invalid(whole, `${JSON.stringify(domain)} is not a registry's host name`);
  if (Number(match[1] ?? 0) > PORT_MAX)
    throw invalid(whole, `port ${match[1]} is above ${PORT_MAX}`);
}

function checkPath(path: string, whole: string): void {
  if (path.split("/").every((component) => COMPONENT.test(component))) return;
  if (path !== path.toLowerCase())
    throw new ClusterError(
      "InvalidArgument",
      `invalid reference format: repository name (${path}) must be lowercase`,
    );
  throw invalid(
    whole,
    "a repository name is lower-case letters and digits, with single separators . _ - inside, parts joined by /",
  );
}

function invalid(text: string, reason: string): ClusterError {
  const shown = JSON.stringify(text.slice(0, REFERENCE_LENGTH_MAX));
  return new ClusterError("InvalidArgument", `invalid reference format: ${shown}: ${reason}`);
}
