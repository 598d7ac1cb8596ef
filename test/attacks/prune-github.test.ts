import { describe, expect, it } from "vitest";
import { dropVersions } from "../../src/cleanup/github-packages.ts";
import { githubApi } from "../../src/ci/github.ts";
import { FactoryError } from "../../src/errors.ts";
import { sha256 } from "../../src/model/digest.ts";
import { createMask } from "../../src/model/mask.ts";
import { RETRIES } from "../../src/model/retries.ts";
import { githubAccess } from "../../src/tools/github/github-access.ts";
import { openPackage } from "../../src/tools/github/package-client.ts";
import { tagMark } from "../../src/publish/tag-mark.ts";
import { retrying } from "../../src/tools/oci/retrying.ts";
import {
  basicError,
  type GithubOptions,
  pretendHost,
  serveGithub,
  type ServedVersion,
  TOKEN,
  WORDS,
} from "../unit/github-server.ts";
import { INDEX, MANIFEST, putDocument, putImage } from "../unit/oci-made.ts";
import { refuse, serveHttp, serveRegistry } from "../unit/oci-server.ts";

import { factoryAtOnce, makeWorkspace, SMALL } from "../unit/workspace.ts";

const digestOf = (id: number) => sha256(Buffer.from(String(id)));
const versionOf = (id: number, ...tags: string[]): ServedVersion => ({ id, name: digestOf(id), tags });

/** A package of some versions, and what deletes them; `waits` are in ms, of what was tried again. */
async function packaged(
  versions: ServedVersion[],
  options: GithubOptions & { token?: string; base?: string } = {},
) {
  const github = await serveGithub(versions, options);
  const known = new Map(versions.map(({ name, tags }) => [name, [...tags]]));
  const waits: number[] = [];
  const { signal } = new AbortController();
  const mask = createMask();
  mask.hide(TOKEN);
  const now = () => Date.parse("2026-01-01T00:00:00Z");
  const access = { base: options.base ?? github.base, token: options.token ?? TOKEN };
  const client = openPackage("owner/team/app", { access, mask, now });
  const drop = dropVersions({
    client,
    tagsOf: (digest) => known.get(digest) ?? [],
    again: (work) =>
      retrying(work, {
        policy: { ...RETRIES, most_s: 1000 },
        random: () => 0.5,
        sleep: (ms) => Promise.resolve(void waits.push(ms)),
        signal,
      }),
  });
  const requests = () => github.got.map(({ method, url }) => `${method} ${url}`);
  return { ...github, waits, requests, drop: (id: number) => drop(digestOf(id), signal), known };
}

/** The error of something, with all that a person may see of it. */
async function refused(promise: Promise<unknown>): Promise<{ code: string; shown: string }> {
  const error: unknown = await promise.then(
    () => new Error("nothing was refused"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof FactoryError)) throw error;
  return { code: error.code, shown: `${error.message}\n${error.fix}` };
}

describe("images of ghcr.io", () => {
  it.each([
    ["Organization", "orgs"],
    ["User", "users"],
  ] as const)("9.11 are versions of a package of an %s", async (type, at) => {
    const { drop, requests, versions } = await packaged(
      [versionOf(7, "1.0"), versionOf(8, "pr-1"), versionOf(9)],
      {
        type,
      },
    );
    expect([await drop(8), await drop(9)]).toEqual([true, true]);
    expect(versions.map(({ id }) => id)).toEqual([7]);
    const root = `/${at}/owner/packages/container/team%2Fapp/versions`;
    expect(requests()).toEqual([
      "GET /users/owner",
      `GET ${root}?per_page=100&page=1`,
      ...[8, 9].flatMap((id) => [`GET ${root}/${id}`, `DELETE ${root}/${id}`]),
    ]);
  });

  it("9.11 are found on every page", async () => {
    const many = Array.from({ length: 250 }, (_, at) => versionOf(at + 1));
    const { drop, requests, versions } = await packaged(many);
    expect(await drop(250)).toBe(true);
    expect(requests().filter((one) => one.includes("page="))).toHaveLength(3);
    expect(versions.some(({ id }) => id === 250)).toBe(false);
  });

  it("9.11 one that is not there is gone; one with a tag that GitHub does not list is not said to be", async () => {
    const { drop, known, requests, versions } = await packaged([versionOf(1, "1.0"), versionOf(2)]);
    expect([await drop(3), await drop(4)]).toEqual([true, true]);
    // Others may change the list while it is read: it is read a second time, and no third time.
    expect(requests().filter((one) => one.includes("page="))).toHaveLength(2);
    known.set(digestOf(5), ["pr-5"]);
    expect((await refused(drop(5))).code).toBe("PRUNE_UNRESOLVED");
    versions.splice(1, 1);
    expect(await drop(2)).toBe(true);
    expect(requests().some((one) => one.startsWith("DELETE"))).toBe(false);
  });

  it("9.11 one that somebody tags right before it goes stays", async () => {
    const { drop, requests, versions } = await packaged(
      [versionOf(1, "1.0"), versionOf(2, "pr-2"), versionOf(3)],
      {
        onVersion: ({ tags, id }) => void (id === 2 && tags.push("2.0")),
      },
    );
    expect([await drop(2), await drop(3)]).toEqual([false, true]);
    expect(versions.map(({ id }) => id)).toEqual([1, 2]);
    expect(requests().filter((one) => one.startsWith("DELETE"))).toHaveLength(1);
  });

  it("9.11 a tag that is gone is no reason to stay", async () => {
    const { drop } = await packaged([versionOf(1, "1.0"), versionOf(2, "pr-2", "pr-3")], {
      onVersion: ({ tags, id }) => void (id === 2 && tags.pop()),
    });
    expect(await drop(2)).toBe(true);
  });

  it("9.11 one of which GitHub does not say the tags stays", async () => {
    const of = (more: object) => ({
      ...{ id: 2, name: digestOf(2), url: "https://x.example", package_html_url: "https://x.example" },
      ...{ created_at: "2026-01-02T03:04:05Z", updated_at: "2026-01-02T03:04:05Z", ...more },
    });
    for (const more of [
      {},
      { metadata: { package_type: "container" } },
      { name: digestOf(1), metadata: { package_type: "container", container: { tags: [] } } },
    ]) {
      const { drop, versions } = await packaged([versionOf(1, "1.0"), versionOf(2)], {
        before: ({ method, url }, answer) => {
          if (method !== "GET" || !url.endsWith("/2")) return false;
          answer(200, of(more));
          return true;
        },
      });
      expect((await refused(drop(2))).code).toBe("PRUNE_UNRESOLVED");
      expect(versions).toHaveLength(2);
    }
  });
});

type Before = NonNullable<GithubOptions["before"]>;
const onDelete =
  (status: number, message: string, headers?: Record<string, string>): Before =>
  ({ method }, answer) => {
    if (method !== "DELETE") return false;
    answer(status, basicError(message, status), headers);
    return true;
  };

describe("what GitHub refuses", () => {
  const two = () => [versionOf(1, "1.0"), versionOf(2)];

  it.each([
    ["more than 5,000 downloads", onDelete(400, WORDS.downloads), "PACKAGE_UNDELETABLE", "private"],
    ["the last version", onDelete(400, WORDS.last), "PACKAGE_UNDELETABLE", "the whole package"],
    [
      "no right",
      onDelete(403, "You need at least delete:packages scope"),
      "REGISTRY_DENIED",
      "packages: write",
    ],
    [
      "no right, as if it were not there",
      onDelete(404, "Package not found."),
      "REGISTRY_DENIED",
      "still there",
    ],
    [
      "another reason",
      onDelete(400, "Bad \u001b[31m request"),
      "REGISTRY_REFUSED",
      "Bad \\u001b[31m request",
    ],
  ])("9.11 is told: %s", async (_, before, code, shown) => {
    const { drop, versions, waits } = await packaged(two(), { before });
    const error = await refused(drop(2));
    expect(error).toEqual({ code, shown: expect.stringContaining(shown) as string });
    expect([versions.length, waits]).toEqual([2, []]);
  });

  it("9.11 a wrong token, and one that may not see the package", async () => {
    const { drop } = await packaged(two(), { tokens: ["another"] });
    expect((await refused(drop(2))).code).toBe("REGISTRY_DENIED");
    const hidden = await packaged(two(), {
      before: ({ url }, answer) => {
        if (!url.includes("/packages/")) return false;
        answer(404, basicError("Package not found.", 404));
        return true;
      },
    });
    const { code, shown } = await refused(hidden.drop(2));
    expect([code, shown]).toEqual(["REGISTRY_NOT_FOUND", expect.stringContaining("read:packages")]);
  });

  /** Refuses the first few requests of a method. */
  const first = (
    times: number,
    status: number,
    headers: Record<string, string>,
    message = "slow down",
  ): Before => {
    let left = times;
    return (got, answer) =>
      left > 0 && onDelete(status, message, headers)(got, answer) === true && ((left -= 1), true);
  };
  const date = "Thu, 01 Jan 2026 01:00:00 GMT";
  const reset = String(Date.parse(date) / 1000 + 90);

  it.each([
    [
      "a rate limit",
      first(1, 403, { date, "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset }),
      [90_000],
    ],
    ["a secondary one", first(1, 403, { "retry-after": "20", "x-ratelimit-remaining": "900" }), [20_000]],
    ["one by its words", first(1, 403, {}, "You have exceeded a secondary rate limit"), [60_000]],
    ["429", first(1, 429, { "retry-after": "40" }), [40_000]],
    ["an error of its own", first(2, 502, {}), [10_000, 10_000]],
  ])("9.11 what passes by itself is waited for: %s", async (_, before, expected) => {
    const { drop, waits, versions } = await packaged(two(), { before });
    expect(await drop(2)).toBe(true);
    expect([waits, versions.length]).toEqual([expected, 1]);
  });

  it("9.11 a limit that lasts is told, with its end", async () => {
    const late = String(Date.parse(date) / 1000 + 3000);
    const { drop } = await packaged(two(), {
      before: onDelete(403, "API rate limit exceeded", {
        date,
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": late,
      }),
    });
    const { code, shown } = await refused(drop(2));
    expect([code, shown]).toEqual(["REGISTRY_LIMITED", expect.stringContaining("in 50 min")]);
  });

  it("9.11 what was deleted by a request without an answer is gone", async () => {
    let broken = false;
    const { drop, versions, waits } = await packaged(two(), {
      before: ({ method }, answer) => {
        if (method !== "DELETE" || broken) return false;
        broken = true;
        versions.pop();
        answer(503, basicError("", 503));
        return true;
      },
    });
    expect(await drop(2)).toBe(true);
    expect(waits).toHaveLength(1);
  });

  it("9.11 an answer of another form is no answer", async () => {
    for (const body of ["null", "[null]", "{}", '[{"id":"2"}]', "[", ""]) {
      const { host } = await serveHttp(({ url }, response) => {
        response.writeHead(200, { "content-type": "application/json" });
        response.end(url === "/users/owner" ? '{"type":"User"}' : body);
      });
      const { drop } = await packaged([], { base: `http://${host}` });
      expect((await refused(drop(2))).code, body).toBe("REGISTRY_CONTENT");
    }
    for (const [status, body] of [
      [200, '{"type":"Bot"}'],
      [200, "null"],
      [500, "null"],
      [404, "<html>"],
      [999, ""],
    ] as const) {
      const { host } = await serveHttp((_, response) => void response.writeHead(status).end(body));
      const { drop } = await packaged([], { base: `http://${host}` });
      expect((await refused(drop(2))).code, `${status} ${body}`).toMatch(/^REGISTRY_/);
    }
  });
});

describe("the token", () => {
  it("9.11 goes nowhere else, and into no message", async () => {
    const other = await serveHttp((_, response) => void response.writeHead(200).end("{}"));
    const { drop } = await packaged([versionOf(1), versionOf(2)], {
      before: (got, answer) => onDelete(403, `Forbidden for ${TOKEN}`)(got, answer),
    });
    expect((await refused(drop(2))).shown).not.toContain(TOKEN);
    for (const status of [301, 302, 303, 307, 308]) {
      const { host } = await serveHttp(
        (_, response) => void response.writeHead(status, { location: `http://${other.host}/` }).end(),
      );
      const led = await packaged([], { base: `http://${host}` });
      expect((await refused(led.drop(2))).code).toBe("REGISTRY_CONTENT");
    }
    expect(other.got).toEqual([]);
  });

  const stored = { kind: "password", username: "someone", password: "ghp_stored_0123456789" } as const;
  const ask = async (env: Record<string, string>, known: typeof stored | null = stored) => {
    const mask = createMask();
    const access = await githubAccess({
      said: githubApi(env),
      mask,
      credentialsOf: () => Promise.resolve(known),
    });
    expect(mask(access.token)).toBe("***");
    return access;
  };

  it("9.11 is that of the environment, else that of the log-in, which is for GitHub alone", async () => {
    const base = "https://api.github.com";
    expect(await ask({ GITHUB_TOKEN: "ghs_one_0123456", GH_TOKEN: "two" })).toEqual({
      base,
      token: "ghs_one_0123456",
    });
    expect(await ask({ GITHUB_TOKEN: " ", GH_TOKEN: "ghs_two_0123456\n" })).toEqual({
      base,
      token: "ghs_two_0123456",
    });
    expect(await ask({})).toEqual({ base, token: stored.password });
    expect(await ask({ GITHUB_API_URL: `${base}/` })).toEqual({ base, token: stored.password });
    const elsewhere = "https://github.company.example/api/v3";
    expect(await ask({ GITHUB_API_URL: elsewhere, GH_TOKEN: "ghs_two_0123456" })).toMatchObject({
      base: elsewhere,
    });
    expect((await refused(ask({ GITHUB_API_URL: elsewhere }))).code).toBe("PACKAGE_TOKEN_MISSING");
    expect((await refused(ask({}, null))).code).toBe("PACKAGE_TOKEN_MISSING");
    expect((await refused(ask({ GITHUB_TOKEN: "ghs_one 0123456\r\nx: y" }))).code).toBe(
      "PACKAGE_TOKEN_MISSING",
    );
  });

  it("9.11 goes over https, and over http to loopback alone", async () => {
    expect(await ask({ GITHUB_API_URL: "http://127.0.0.1:8080" })).toMatchObject({
      base: "http://127.0.0.1:8080",
    });
    for (const url of [
      "http://api.github.com",
      "http://127.0.0.1.example",
      "ftp://api.github.com",
      "api.github.com",
      "https://me:secret-word@api.github.com",
      "https://api.github.com?x=1",
    ]) {
      const { code, shown } = await refused(ask({ GITHUB_API_URL: url, GITHUB_TOKEN: "ghs_one_0123456" }));
      expect([url, code]).toEqual([url, "USAGE"]);
      expect(shown).not.toContain("secret-word");
    }
  });
});

/** `factory` for which ghcr.io is a registry on loopback that deletes nothing, with what GitHub says of its images. */
async function ghcr(options: GithubOptions = {}) {
  const registry = await serveRegistry({
    before: ({ method }, response) => {
      if (method !== "DELETE") return false;
      refuse(response, 405, "UNSUPPORTED", "The operation is unsupported.");
      return true;
    },
  });
  const stored = registry.of("owner/team/app");
  const put = (tag: string, text: string, at?: Date): string => {
    const image = putImage(stored, text);
    const index = putDocument(stored, { manifests: [image] }, INDEX);
    const manifest = stored.manifests.get(index.digest);
    if (!manifest) throw new Error("there is no such image");
    stored.manifests.set(tag, manifest);
    if (!at) return index.digest;
    // GitHub does not know the API of referrers: a list behind a tag stands in for it.
    const mark = tagMark(tag, index, at);
    const digest = sha256(mark);
    stored.manifests.set(digest, { bytes: mark, mediaType: MANIFEST });
    const { artifactType, annotations } = JSON.parse(mark.toString()) as Record<string, unknown>;
    const described = { mediaType: MANIFEST, digest, size: mark.length, artifactType, annotations };
    const list = putDocument(stored, { manifests: [described] }, INDEX);
    const listed = stored.manifests.get(list.digest);
    if (listed) stored.manifests.set(index.digest.replace(":", "-"), listed);
    return index.digest;
  };
  const old = new Date("2020-01-01T00:00:00Z");
  put("1.0", "release");
  put("latest", "latest");
  const first = put("pr-1-0000001", "one", old);
  put("pr-2-0000002", "two", old);

  const tagsOf = (digest: string) =>
    [...stored.manifests].flatMap(([ref, { bytes }]) =>
      !ref.startsWith("sha256:") && sha256(bytes) === digest ? [ref] : [],
    );
  const digests = [...stored.manifests.keys()].filter((ref) => ref.startsWith("sha256:"));
  const versions = digests.map((name, at) => ({ id: at + 1, name, tags: tagsOf(name) }));
  const github = await serveGithub(versions, {
    ...options,
    onDeleted: ({ name }) => {
      for (const [ref, { bytes }] of [...stored.manifests])
        if (sha256(bytes) === name) stored.manifests.delete(ref);
    },
  });
  const root = makeWorkspace({
    ...SMALL,
    "factory.yaml": "schema_version: 1\nrepository: registry.example/team\nretries: {tries: 1}\n",
    "control_plane/products/demo.yaml":
      "schema_version: 1\nproduct_id: demo\nmanifest_id: demo\nrepository: ghcr.io/owner/team/app\n",
  });
  const env = {
    GITHUB_API_URL: github.base,
    GITHUB_TOKEN: TOKEN,
    ...pretendHost("https://ghcr.io", registry.host),
  };
  const call = async (argv: string[], more: NodeJS.ProcessEnv = {}) => {
    const { status, stdout, stderr } = await factoryAtOnce(root, ["prune", "--json", ...argv], {
      ...env,
      ...more,
    });
    const said = JSON.parse(stdout) as {
      pruned?: { tag: string }[];
      moved?: string[];
      error?: { code: string };
    };
    return {
      status,
      stderr,
      stdout,
      error: said.error?.code,
      moved: said.moved,
      tags: said.pruned?.map(({ tag }) => tag),
    };
  };
  const tags = () =>
    [...stored.manifests.keys()].filter((ref) => /^[a-z0-9]/.test(ref) && !ref.startsWith("sha256"));
  return { call, first, github, stored, tags, registry };
}

describe("factory prune on ghcr.io", () => {
  it("9.11 deletes by GitHub's API alone, whole images, and asks it for nothing without --yes", async () => {
    const { call, first, github, stored, tags, registry } = await ghcr();
    const planned = await call([], { GITHUB_TOKEN: "" });
    expect(planned.status, planned.stdout + planned.stderr).toBe(0);
    expect([planned.tags, github.got]).toEqual([["pr-1-0000001", "pr-2-0000002"], []]);
    const done = await call(["--yes"]);
    expect(done.status, done.stdout + done.stderr).toBe(0);
    expect(done.tags).toEqual(planned.tags);
    expect(tags().sort()).toEqual(["1.0", "latest"]);
    expect(stored.manifests.has(first)).toBe(false);
    expect(stored.manifests.has(first.replace(":", "-"))).toBe(false);
    // Two images, each an index, a manifest, a mark and the list of that.
    expect(github.got.filter(({ method }) => method === "DELETE")).toHaveLength(8);
    expect(registry.got.some(({ method }) => method === "DELETE")).toBe(false);
    expect(JSON.stringify(registry.got.map(({ headers }) => headers))).not.toContain(TOKEN);
  });

  it("9.11 says what is missing before it deletes anything, and never the token", async () => {
    const { call, github, tags, registry } = await ghcr({ tokens: [] });
    const none = await call(["--yes"], { GITHUB_TOKEN: "" });
    expect([none.status, none.error]).toEqual([3, "PACKAGE_TOKEN_MISSING"]);
    expect(registry.got.some(({ method }) => method === "PUT")).toBe(false);
    const wrong = await call(["--yes", "--verbose"]);
    expect([wrong.status, wrong.error]).toEqual([3, "REGISTRY_DENIED"]);
    expect(wrong.stdout + wrong.stderr).not.toContain(TOKEN);
    expect(github.got.some(({ method }) => method === "DELETE")).toBe(false);
    expect(tags()).toHaveLength(4);
  });

  it("9.11 an image that somebody tags right before it goes stays whole, and the others go", async () => {
    let given = false;
    const { call, stored, tags, first } = await ghcr({
      onVersion: (version) => {
        if (given || version.name !== first) return;
        given = true;
        version.tags.push("2.0");
        stored.manifests.set("2.0", stored.manifests.get(first) as never);
      },
    });
    const done = await call(["--yes"]);
    expect(done.status, done.stdout + done.stderr).toBe(0);
    expect(done.tags).toEqual(["pr-2-0000002"]);
    expect(done.moved).toEqual(["ghcr.io/owner/team/app:pr-1-0000001"]);
    expect(tags().sort()).toEqual(["1.0", "2.0", "latest", "pr-1-0000001"]);
    const { manifests } = JSON.parse(String(stored.manifests.get(first)?.bytes)) as {
      manifests: { digest: string }[];
    };
    for (const { digest } of manifests) expect(stored.manifests.has(digest)).toBe(true);
  });
});
