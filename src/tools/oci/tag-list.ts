import { isTag } from "../../model/image-reference.ts";
import { quoted } from "../../model/visible.ts";
import type { HttpAnswer } from "./exchange.ts";
import { nextPage } from "./next-page.ts";
import { wrongAnswer } from "./registry-error.ts";
import type { Connection, Stoppable } from "./connection.ts";

/** How many tags are asked for at once; how large a page may be; and how many tags are read in all. */
const PAGE = 1000;
const MOST_BYTES = 1 << 20;
const MOST_TAGS = 100_000;

function readPage(text: string): string[] | undefined {
  try {
    const { tags } = JSON.parse(text) as { tags?: unknown };
    if (tags === null) return [];
    return Array.isArray(tags) && tags.every((tag) => typeof tag === "string" && isTag(tag))
      ? (tags as string[])
      : undefined;
  } catch {
    return undefined;
  }
}

/** All tags of a repository, page by page. @throws RegistryError, also for what are no tags and for pages without an end */
export async function listTags(
  { host, repository, at, ask, refused }: Connection,
  { signal }: Stoppable = {},
): Promise<string[]> {
  const wrong = (why: string) => wrongAnswer(`the tags of ${host}/${repository} ${why}`);
  const tags: string[] = [];
  let url: URL | undefined = at(`tags/list?n=${PAGE}`);
  while (url) {
    const answer: HttpAnswer = await ask({ method: "GET", url, signal });
    if (answer.status !== 200) throw await refused(answer, "the tags");
    const page = readPage((await answer.bytes(MOST_BYTES)).toString("utf8"));
    if (!page) throw wrong("are not a list of tags");
    tags.push(...page);
    if (tags.length > MOST_TAGS) throw wrong(`are more than ${MOST_TAGS}`);
    const next = nextPage(answer, wrong);
    if (next && page.length === 0) throw wrong(`go on after an empty page, at ${quoted(next.pathname)}`);
    url = next;
  }
  return tags;
}
