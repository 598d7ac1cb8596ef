import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  chooseImages,
  type ImageNode,
  reachable,
  subjectOfTag,
  type TaggedImage,
} from "../../src/cleanup/image-graph.ts";
import { transientAges } from "../../src/cleanup/transient-rules.ts";
import { transientTag } from "../../src/cleanup/transient-tag.ts";
import type { Origin } from "../../src/publish/origin.ts";
import { originTags } from "../../src/publish/origin-tags.ts";
import { markedTag, tagMark } from "../../src/publish/tag-mark.ts";

const never = () => false;
const always = () => true;

describe("transientTag", () => {
  it("knows tags of pull requests and commits, and those of branches by their commit", () => {
    expect(transientTag("pr-12-0d1a26e", never)).toEqual({ kind: "pull_request", commit: "0d1a26e" });
    expect(transientTag("pr-12-0d1a26e-3.13-slim", never)).toEqual({
      kind: "pull_request",
      commit: "0d1a26e",
    });
    expect(transientTag("sha-0d1a26e", never)).toEqual({ kind: "commit", commit: "0d1a26e" });
    expect(transientTag("feature-x-0d1a26e", (digits) => digits === "0d1a26e")).toEqual({
      kind: "branch",
      commit: "0d1a26e",
    });
    expect(transientTag("release-1234567-0d1a26e-slim", (digits) => digits === "0d1a26e")).toEqual({
      kind: "branch",
      commit: "0d1a26e",
    });
    expect(transientTag("feature-x-0d1a26e", never)).toBe(null);
  });

  it.each([
    "3.13",
    "latest",
    "pr-12",
    "pr-x-0d1a26e1",
    "sha-0d1a26",
    "sha-0d1a26e1",
    "3.13-slim",
    "0d1a26e",
    "PR-12-0d1a26e",
  ])("leaves %s alone", (tag) => expect(transientTag(tag, always)).toBe(null));

  it("knows all that a commit's images are called, and no version", () => {
    const commit = fc.stringMatching(/^[0-9a-f]{40}$/);
    const suffix = fc.option(fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,20}$/));
    fc.assert(
      fc.property(
        commit,
        fc.option(fc.nat({ max: 99999 })),
        fc.string({ maxLength: 40 }),
        suffix,
        (hash, pr, branch, end) => {
          const origin = {
            commit: hash,
            pull_request: pr,
            branch: branch === "" ? null : branch,
            versions: [{ version: "1.2.3", is_release: true }],
          } as unknown as Origin;
          const known = (digits: string) => hash.startsWith(digits);
          for (const { tag, kind } of originTags(origin, end, [])) {
            const found = transientTag(tag, known);
            const expected = { pr: "pull_request", branch: "branch", sha: "commit" }[kind as string];
            if (expected) expect([tag, found]).toEqual([tag, { kind: expected, commit: hash.slice(0, 7) }]);
          }
        },
      ),
    );
  });
});

describe("how old transient images get", () => {
  it("is a day, a week and for ever, or what the policy says", () => {
    const day = 24 * 3600 * 1000;
    expect(transientAges({})).toEqual({ pull_request: day, branch: 7 * day, commit: null });
    expect(transientAges({ transient: { branch: "never", commit: "12w" } })).toEqual({
      pull_request: day,
      branch: null,
      commit: 84 * day,
    });
  });

  it("is known from a mark, and from nothing else", () => {
    const subject = { mediaType: "m", digest: "d", size: 1 };
    const at = new Date("2026-11-21T01:02:03.456Z");
    const { annotations } = JSON.parse(tagMark("pr-1-0d1a26e", subject, at).toString()) as {
      annotations: Record<string, string>;
    };
    expect(markedTag(annotations)).toEqual({ tag: "pr-1-0d1a26e", at: at.getTime() });
    const others: Record<string, string>[] = [
      {},
      { "io.factory.tag": "x" },
      { ...annotations, "org.opencontainers.image.created": "soon" },
    ];
    for (const other of others) expect(markedTag(other)).toBe(null);
  });
});

/** A repository: manifests that name earlier ones, referrers of those, and tags of any of them. */
const repository = fc
  .array(
    fc.record({
      children: fc.array(fc.nat(), { maxLength: 3 }),
      referrers: fc.array(fc.nat(), { maxLength: 2 }),
    }),
    {
      minLength: 1,
      maxLength: 12,
    },
  )
  .chain((made) => {
    const nodes = new Map<string, ImageNode>(
      made.map(({ children, referrers }, at) => {
        const earlier = (numbers: number[]) => (at === 0 ? [] : numbers.map((one) => `d${one % at}`));
        // What refers to a manifest comes from anywhere.
        const any = referrers.map((one) => `d${one % made.length}`);
        return [`d${at}`, { digest: `d${at}`, children: earlier(children), referrers: any }];
      }),
    );
    const tag = fc.record({ at: fc.nat({ max: made.length - 1 }), isOld: fc.boolean() });
    return fc.record({
      nodes: fc.constant(nodes),
      tags: fc.array(tag, { maxLength: 10 }),
      kept: fc.array(fc.nat({ max: made.length - 1 }), { maxLength: 2 }),
    });
  });

describe("chooseImages", () => {
  it("never takes what a tag that stays, or something else that stays, leads to; and takes all else of what goes", () => {
    fc.assert(
      fc.property(repository, ({ nodes, tags: made, kept }) => {
        const tags = made.map(({ at }, index): TaggedImage => ({ tag: `t${index}`, digest: `d${at}` }));
        const isOld = ({ tag }: TaggedImage) => made[Number(tag.slice(1))]?.isOld ?? false;
        const graph = { tags, nodes };
        const roots = kept.map((at) => `d${at}`);
        const choice = chooseImages(graph, isOld, roots);
        const gone = new Set(choice.manifests);
        const stay = tags.filter((one) => !isOld(one) || choice.held.includes(one));
        for (const digest of reachable(graph, [...roots, ...stay.map((one) => one.digest)]))
          expect(gone.has(digest)).toBe(false);
        const names = (some: readonly TaggedImage[]) => some.map(({ tag }) => tag).sort();
        expect(names([...choice.tags, ...choice.held])).toEqual(names(tags.filter(isOld)));
        for (const { digest } of choice.tags) expect(gone.has(digest)).toBe(true);
        // Nothing is left that only what goes needs.
        const left = reachable(graph, [...roots, ...stay.map((one) => one.digest)]);
        for (const digest of reachable(
          graph,
          choice.tags.map((one) => one.digest),
        ))
          expect(gone.has(digest)).toBe(!left.has(digest));
        expect(new Set(choice.manifests).size).toBe(choice.manifests.length);
      }),
    );
  });

  it("takes the tag that stands in for the API of referrers with its subject alone", () => {
    const [own, other] = ["a", "b"].map((one) => `sha256:${one.repeat(64)}`) as [string, string];
    const list = (subject: string) => ({ tag: subject.replace(":", "-"), digest: `list of ${subject}` });
    const node = (digest: string) => [digest, { digest, children: [], referrers: [] }] as const;
    const graph = {
      tags: [{ tag: "old", digest: own }, { tag: "new", digest: other }, list(own), list(other)],
      nodes: new Map([node(own), node(other)]),
    };
    expect(chooseImages(graph, ({ tag }) => tag === "old", [])).toEqual({
      tags: [{ tag: "old", digest: own }],
      held: [],
      manifests: [own],
      lists: [list(own).tag],
    });
    expect(subjectOfTag("sha256-short")).toBe(null);
  });
});
