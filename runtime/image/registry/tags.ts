import { ClusterError } from "../../../core/errors.ts";
import { parseJsonObject, textAt, textsAt } from "../json.ts";
import { readBounded } from "./read-bounded.ts";
import type { Repository } from "./repository.ts";
import { withRetries } from "./retry.ts";

/** As many as a pull of all of them takes on. */
export const TAGS_MAX = 1000;
const PAGES_MAX = 100;
const PAGE_BYTES_MAX = 4 * 1024 * 1024;

/** The tags of a repository, page by page. Source: OCI distribution-spec, "Listing Tags". @throws {ClusterError} ResourceExhausted above TAGS_MAX. */
export async function listTags(repository: Repository): Promise<readonly string[]> {
  const tags: string[] = [];
  let target: string | URL | undefined = "tags/list";
  for (let pages = 0; target !== undefined && pages < PAGES_MAX; pages++) {
    const page: TagPage = await readPage(repository, target);
    tags.push(...page.tags);
    if (tags.length > TAGS_MAX) {
      const message = `${repository.subject.repository} has more than ${TAGS_MAX} tags: name those you want`;
      throw new ClusterError("ResourceExhausted", message);
    }
    target = page.next;
  }
  return tags;
}

interface TagPage {
  readonly tags: readonly string[];
  readonly next: URL | undefined;
}

function readPage(repository: Repository, target: string | URL): Promise<TagPage> {
  return withRetries(async () => {
    const asked = { method: "GET", target, headers: { accept: "application/json" } } as const;
    const response = await repository.send(asked, [200]);
    const bytes = await readBounded(response, repository, PAGE_BYTES_MAX);
    const page = parseJsonObject(bytes, "list of tags");
    textAt(page.name, "list of tags name");
    const next = nextPage(response.header("link"), repository.baseUrl);
    return { tags: textsAt(page.tags, "list of tags", TAGS_MAX), next };
  }, repository.signal);
}

/** Elsewhere than at the registry itself nobody is asked: a page is part of the list. */
function nextPage(link: string, baseUrl: string): URL | undefined {
  const target = /<([^>]+)>\s*;\s*rel="?next"?/.exec(link)?.[1];
  if (target === undefined || !URL.canParse(target, baseUrl)) return undefined;
  const next = new URL(target, baseUrl);
  return next.origin === new URL(baseUrl).origin ? next : undefined;
}
