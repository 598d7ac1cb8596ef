import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { github } from "../../src/ci/github.ts";
import { branchTag } from "../../src/publish/branch-tag.ts";
import { type GitNames, originOf } from "../../src/publish/origin.ts";
import { isLatestRelease, originTags } from "../../src/publish/origin-tags.ts";
import { isTag } from "../../src/model/image-reference.ts";

const HEAD = "6dcb09b5b57875f334f61aebed695e2e4193db5e";
const COMMIT = "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c";
const SHORT = "0d1a26e";

/** What a checkout of GitHub knows: all tags, and no branch. */
const GIT: GitNames = { commit: HEAD, branch: null, default_branch: null, tags: [], tags_here: [] };

const repository = { id: 186853002, full_name: "team/images", fork: false, default_branch: "main" };
const fork = { id: 286853002, full_name: "someone/images", fork: true, default_branch: "main" };

const pull = (head: object | null) => ({
  action: "synchronize",
  number: 12,
  pull_request: {
    url: "https://api.github.com/repos/team/images/pulls/12",
    number: 12,
    state: "open",
    draft: false,
    head: { label: "team:feature/x", ref: "feature/x", sha: COMMIT, repo: head },
    base: { label: "team:main", ref: "main", sha: HEAD, repo: repository },
    merge_commit_sha: HEAD,
  },
  repository,
  sender: { login: "someone", id: 21031067 },
});

const push = (ref: string, more: object = {}) => ({
  ref,
  before: HEAD,
  after: COMMIT,
  created: false,
  deleted: false,
  forced: false,
  base_ref: null,
  commits: [],
  head_commit: { id: COMMIT, message: "Change", timestamp: "2026-01-01T00:00:00Z" },
  repository,
  ...more,
});

const release = (tag_name: string, more: object = {}, action = "published") => ({
  action,
  release: { id: 1, tag_name, target_commitish: "main", draft: false, prerelease: false, ...more },
  repository,
});

/** The tags by origin of a product's only combination. */
function tagsOf(payload: unknown, git: Partial<GitNames> = {}): string[] {
  const all = { ...GIT, ...git };
  const origin = originOf(github.events.read(payload), all);
  return [
    ...originTags(origin, null, all.tags).map(({ tag }) => tag),
    ...(isLatestRelease(origin, all.tags) ? ["latest"] : []),
  ];
}

const originIn = (payload: unknown, git: Partial<GitNames> = {}) =>
  originOf(github.events.read(payload), { ...GIT, ...git });

describe("an event of GitHub", () => {
  it("of a pull request gives its number and its head, from a fork as well, and nothing public", () => {
    for (const [head, isFork] of [
      [repository, false],
      [fork, true],
      [null, true],
    ] as const) {
      expect(tagsOf(pull(head))).toEqual([`pr-12-${SHORT}`]);
      expect(originIn(pull(head))).toMatchObject({ fork: isFork, publishes: false, commit: COMMIT });
    }
  });

  it("of a push to a feature branch gives the branch and the commit, and nothing public", () => {
    expect(tagsOf(push("refs/heads/Feature/JIRA-12_add #things"))).toEqual([
      `feature-jira-12_add-things-${SHORT}`,
      `sha-${SHORT}`,
    ]);
    expect(originIn(push("refs/heads/x")).publishes).toBe(false);
    expect(originIn({ ...push("refs/heads/main"), repository: {} }).publishes).toBe(false);
  });

  it("of a push to the default branch gives the commit, and what products say", () => {
    expect(tagsOf(push("refs/heads/main"))).toEqual([`sha-${SHORT}`]);
    expect(originIn(push("refs/heads/main"))).toMatchObject({ branch: null, publishes: true });
  });

  it("of a pushed tag gives the version, its line, its major and latest", () => {
    expect(tagsOf(push("refs/tags/v1.2.3"))).toEqual([`sha-${SHORT}`, "1.2.3", "1.2", "1", "latest"]);
    expect(tagsOf(push("refs/tags/1.2.3+b.1"))).toEqual([`sha-${SHORT}`, "1.2.3_b.1", "1.2", "1", "latest"]);
    expect(tagsOf(push("refs/tags/nightly"))).toEqual([`sha-${SHORT}`]);
    expect(originIn(push("refs/tags/nightly")).publishes).toBe(false);
    // The hash of an annotated tag is that of no commit.
    const annotated = push("refs/tags/v1.2.3", { after: "f".repeat(40), head_commit: { id: COMMIT } });
    expect(tagsOf(annotated)).toContain(`sha-${SHORT}`);
  });

  it("of a pre-release gives its version alone", () => {
    expect(tagsOf(push("refs/tags/v1.2.3-rc.1"))).toEqual([`sha-${SHORT}`, "1.2.3-rc.1"]);
    expect(tagsOf(release("v1.2.3", { prerelease: true }))).toEqual(["sha-6dcb09b", "1.2.3"]);
    expect(originIn(push("refs/tags/v1.2.3-rc.1")).publishes).toBe(false);
  });

  it("of a release of an older line leaves to the newer one what it has", () => {
    const tags = ["v1.2.2", "v1.2.3", "v1.3.0", "v2.0.0", "v9.0.0-rc.1", "nonsense"];
    expect(tagsOf(push("refs/tags/v1.2.3"), { tags })).toEqual([`sha-${SHORT}`, "1.2.3", "1.2"]);
    expect(tagsOf(push("refs/tags/v1.3.0"), { tags })).toEqual([`sha-${SHORT}`, "1.3.0", "1.3", "1"]);
    expect(tagsOf(push("refs/tags/v2.0.0"), { tags })).toContain("latest");
    expect(originIn(push("refs/tags/v1.3.0"), { tags }).publishes).toBe(false);
    expect(originIn(push("refs/tags/v2.0.0"), { tags }).publishes).toBe(true);
  });

  it("of a release, a run by hand or by the clock is about what is checked out", () => {
    expect(tagsOf(release("v1.2.3"))).toEqual(["sha-6dcb09b", "1.2.3", "1.2", "1", "latest"]);
    const byHand = {
      inputs: null,
      ref: "refs/heads/feature/x",
      repository,
      workflow: ".github/workflows/f.yml",
    };
    expect(tagsOf(byHand)).toEqual(["feature-x-6dcb09b", "sha-6dcb09b"]);
    expect(originIn({ ...byHand, ref: "refs/heads/main" }).publishes).toBe(true);
    expect(tagsOf({ ...byHand, ref: "refs/tags/v1.0.0" })).toContain("1.0.0");
    const clock = { schedule: "0 3 * * *", repository, workflow: ".github/workflows/f.yml" };
    expect(tagsOf(clock)).toEqual(["sha-6dcb09b"]);
    expect(originIn(clock).publishes).toBe(true);
  });

  it("of a merge queue gives the commit alone; of anything else, that of the checkout", () => {
    const queue = {
      action: "checks_requested",
      merge_group: {
        head_sha: COMMIT,
        head_ref: `refs/heads/gh-readonly-queue/main/pr-12-${HEAD}`,
        base_sha: HEAD,
        base_ref: "refs/heads/main",
      },
      repository,
    };
    expect(tagsOf(queue)).toEqual([`sha-${SHORT}`]);
    expect(originIn(queue).publishes).toBe(false);
    const comment = { action: "created", issue: { number: 3 }, comment: { body: "build" }, repository };
    expect(tagsOf(comment)).toEqual(["sha-6dcb09b"]);
    expect(originIn(comment).publishes).toBe(false);
  });

  it("of what is gone gives nothing", () => {
    for (const payload of [
      push("refs/heads/x", { deleted: true, after: "0".repeat(40) }),
      release("v1.2.3", {}, "deleted"),
      release("v1.2.3", {}, "unpublished"),
      release("v1.2.3", { draft: true }),
    ])
      expect(tagsOf(payload)).toEqual([]);
  });

  it.each([
    ["a number that is none", { pull_request: { ...pull(fork).pull_request, number: "12/../1" } }],
    ["a number that is too large", { pull_request: { ...pull(fork).pull_request, number: 2 ** 40 } }],
    ["a commit that is none", { pull_request: { number: 1, head: { sha: "HEAD" } } }],
    ["a commit of zeros", push("refs/heads/x", { after: "0".repeat(40) })],
    ["a ref that is too long", push(`refs/heads/${"x".repeat(2000)}`)],
    ["a ref that is a mapping", { ...push("x"), ref: {} }],
    ["a release without a tag", release("")],
    ["a list", []],
    ["a text", "push"],
    ["nothing", null],
  ])("with %s is refused", (_, payload) => {
    expect(() => github.events.read(payload)).toThrow(expect.objectContaining({ code: "EVENT_INVALID" }));
  });
});

describe("without an event", () => {
  it("git says the branch, the commit and its versions, and products have their tags", () => {
    const git: GitNames = {
      commit: HEAD,
      branch: "feature/x",
      default_branch: "main",
      tags: ["v1.0.0", "v1.0.1-rc.1"],
      tags_here: ["v1.0.0", "v1.0.1-rc.1", "other"],
    };
    const tags = (own: GitNames) => originTags(originOf(null, own), null, own.tags).map(({ tag }) => tag);
    expect(tags(git)).toEqual(["feature-x-6dcb09b", "sha-6dcb09b", "1.0.0", "1.0", "1", "1.0.1-rc.1"]);
    expect(originOf(null, git).publishes).toBe(true);
    expect(tags({ ...git, branch: "main", tags_here: [] })).toEqual(["sha-6dcb09b"]);
    expect(tags({ ...git, branch: "master", default_branch: null, tags_here: [] })).toEqual(["sha-6dcb09b"]);
    expect(tags({ ...git, commit: null, tags_here: [] })).toEqual([]);
  });
});

/** Names that git and others may give a branch. */
const branch = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9._/ #-]{1,40}$/),
  fc.string({ unit: "binary", minLength: 1, maxLength: 255 }),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }),
  fc.stringMatching(/^[a-c]{118,125}$/),
  fc.constantFrom("pr-12", "PR/12", "sha", ".x", "x", "--", "é", "ü", "x_h01234567", "x_h0123456"),
);

/** The name by the rule alone: two that have one are one to it. */
const byRule = (name: string) =>
  name
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase())
    .replace(/[^a-z0-9._-]+/gu, "-")
    .replace(/-+/g, "-")
    .replace(/^-|-$/g, "");

describe("the tag of a branch", () => {
  it.each([
    ["main", "main"],
    ["Feature/ABC-123", "feature-abc-123"],
    ["feature//a  b", "feature-a-b"],
    ["-/x/-", "x"],
    ["release/1.2_x", "release-1.2_x"],
    ["a@{b}~c^d:e?f*g[h\\i", "a-b-c-d-e-f-g-h-i"],
    ["x".repeat(120), "x".repeat(120)],
  ])("of %s is as the rule says", (name, slug) => {
    expect(branchTag(name, COMMIT)).toBe(`${slug}-${SHORT}`);
  });

  it.each([
    "x".repeat(121),
    "x".repeat(255),
    "日本語",
    "é",
    ".x",
    "pr-12",
    "sha",
    "x_h01234567",
    "",
    "//",
    "\u212a",
  ])("of %j has a hash, since more is lost", (name) => {
    expect(branchTag(name, COMMIT)).toMatch(/^[a-z0-9._-]+_h[0-9a-f]{8}-0d1a26e$/);
  });

  it("is a tag, the same each time, and for different names the same only where the rule makes them one", () => {
    const room = fc.integer({ min: 60, max: 128 });
    fc.assert(
      fc.property(branch, branch, room, (a, b, most) => {
        const tags = [a, b].map((name) => branchTag(name, COMMIT, most));
        for (const tag of tags) {
          expect(isTag(tag)).toBe(true);
          expect(tag.length).toBeLessThanOrEqual(most);
          expect(tag.endsWith(`-${SHORT}`)).toBe(true);
          expect(tag).not.toMatch(/^(pr-\d+|sha)-[0-9a-f]{7}$/);
        }
        expect(branchTag(a, COMMIT, most)).toBe(tags[0]);
        expect(branchTag(a, HEAD, most)).not.toBe(tags[0]);
        if (a !== b && tags[0] === tags[1]) {
          expect(byRule(a)).toBe(byRule(b));
          expect(`${a}${b}`).toMatch(/^[ -~]+$/);
        }
      }),
    );
  });
});
