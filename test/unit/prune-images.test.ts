import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  chooseImages,
  type ImageNode,
  needed,
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
      attached: fc.array(fc.nat(), { maxLength: 2 }),
      subject: fc.option(fc.nat()),
    }),
    {
      minLength: 1,
      maxLength: 12,
    },
  )
  .chain((made) => {
    const nodes = new Map<string, ImageNode>(
      made.map(({ children, attached, subject }, at) => {
        const earlier = (numbers: number[]) => (at === 0 ? [] : numbers.map((one) => `d${one % at}`));
        // What is attached to a manifest comes from anywhere, and may name what it is attached to.
        const any = attached.map((one) => `d${one % made.length}`);
        const about = subject === null ? null : `d${subject % made.length}`;
        return [`d${at}`, { digest: `d${at}`, children: earlier(children), attached: any, subject: about }];
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
        const left = needed(graph, [...roots, ...stay.map((one) => one.digest)]);
        for (const digest of left) expect(gone.has(digest)).toBe(false);
        const names = (some: readonly TaggedImage[]) => some.map(({ tag }) => tag).sort();
        expect(names([...choice.tags, ...choice.held])).toEqual(names(tags.filter(isOld)));
        for (const { digest } of choice.tags) expect(gone.has(digest)).toBe(true);
        // What a manifest that goes lists, or what is attached to it, goes too, unless something needs it; and nothing else goes.
        const named = choice.manifests.flatMap((digest) => {
          const { children = [], attached = [] } = nodes.get(digest) ?? {};
          return [...children, ...attached];
        });
        for (const digest of named) expect(gone.has(digest)).toBe(!left.has(digest));
        for (const digest of gone)
          expect(named.includes(digest) || choice.tags.some((one) => one.digest === digest)).toBe(true);
        expect(new Set(choice.manifests).size).toBe(choice.manifests.length);
      }),
    );
  });

  it("takes what lists others before those, as deep and as often as that is", () => {
    const depth = 20_000;
    const nodes = new Map<string, ImageNode>();
    for (let at = 0; at < depth; at += 1)
      nodes.set(`d${at}`, { digest: `d${at}`, children: at === 0 ? [] : [`d${at - 1}`, "d0"], attached: [] });
    const tags = ["d5", `d${depth - 1}`].map((digest, at) => ({ tag: `t${at}`, digest }));
    const { manifests } = chooseImages({ tags, nodes }, always, []);
    expect(manifests).toEqual(Array.from({ length: depth }, (_, at) => `d${depth - 1 - at}`));
  });

  it("takes tags that are made from a digest with that alone", () => {
    const [own, other, absent] = ["a", "b", "c"].map((one) => `sha256:${one.repeat(64)}`) as [
      string,
      string,
      string,
    ];
    const made = [own, other, absent].flatMap((subject) =>
      ["", ".sig"].map((end) => ({ tag: subject.replace(":", "-") + end, digest: `${end} of ${subject}` })),
    );
    const node = (digest: string, attached: string[] = []): [string, ImageNode] => [
      digest,
      { digest, children: [], attached },
    ];
    const graph = {
      tags: [{ tag: "old", digest: own }, { tag: "new", digest: other }, ...made],
      nodes: new Map([
        node(own, [` of ${own}`, `.sig of ${own}`]),
        node(other, [` of ${other}`, `.sig of ${other}`]),
        ...made.map(({ digest }) => node(digest)),
      ]),
    };
    const choice = chooseImages(graph, ({ tag }) => tag === "old", []);
    expect(choice).toEqual({
      tags: [{ tag: "old", digest: own }],
      held: [],
      manifests: [own, ` of ${own}`, `.sig of ${own}`],
    });
    expect(chooseImages(graph, always, []).held).toEqual([]);
    for (const tag of ["sha256-short", `sha256-${"a".repeat(64)}.`, `sha256-${"A".repeat(64)}`, "latest"])
      expect(subjectOfTag(tag)).toBe(null);
  });
});
