import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { Ajv, type AnySchema } from "ajv";
import addFormats from "ajv-formats";
import { expect, onTestFinished } from "vitest";
import { type Got, serveHttp } from "./oci-server.ts";

interface Parameter {
  name: string;
  in: "path" | "query";
  required?: boolean;
  schema: AnySchema;
}

interface Operation {
  parameters: Parameter[];
  responses: Record<string, { content?: Record<string, { schema: AnySchema }> }>;
}

/** See scripts/github-openapi.mjs. */
const { paths } = JSON.parse(
  readFileSync(new URL("../fixtures/github/openapi.json", import.meta.url), "utf8"),
) as { paths: Record<string, Record<string, Operation>> };

/** It is not strict: GitHub requires a property of Docker's metadata that it does not describe. */
const ajv = new Ajv({ strict: false, allErrors: true, coerceTypes: false });
addFormats.default(ajv);

const VERSIONS = "/users/{username}/packages/{package_type}/{package_name}/versions";

/** What GitHub does, and its description leaves out. */
const BEYOND = {
  /** Its guide on pages is for all lists, and lists of a user's packages have them. */
  parameters: new Map([[VERSIONS, ["page", "per_page"]]]),
  /** Any request may meet these; 400 is how it refuses a deletion (actions/delete-package-versions#231). */
  statuses: new Set(["400", "401", "403", "404", "429", "500", "502", "503"]),
};

const errorSchema = {
  type: "object",
  properties: {
    message: { type: "string" },
    documentation_url: { type: "string" },
    status: { type: "string" },
  },
  required: ["message"],
  additionalProperties: false,
};

interface Matched {
  path: string;
  operation: Operation;
  values: Record<string, string>;
}

/** What of the description a request is; with why it is nothing of it. */
function match({ method, url }: Got): Matched | string {
  const { pathname, searchParams } = new URL(url, "http://github");
  for (const [path, operations] of Object.entries(paths)) {
    const names: string[] = [];
    const pattern = path.replace(/\{(\w+)\}/g, (_, name: string) => (names.push(name), "([^/]+)"));
    const found = new RegExp(`^${pattern}$`).exec(pathname);
    if (!found) continue;
    const operation = operations[method.toLowerCase()];
    if (!operation) return `${path} has no ${method}`;
    const values = Object.fromEntries(
      names.map((name, at) => [name, decodeURIComponent(found[at + 1] ?? "")]),
    );
    const given = { path: values, query: Object.fromEntries(searchParams) };
    for (const { name, in: where, required, schema } of operation.parameters) {
      const text = given[where][name];
      if (text === undefined) {
        if (required) return `${path} needs ${name}`;
        continue;
      }
      const value = (schema as { type?: string }).type === "integer" ? Number(text) : text;
      if (!ajv.validate(schema, value)) return `${name} of ${path}: ${ajv.errorsText()}`;
    }
    const known = [
      ...operation.parameters.flatMap((one) => (one.in === "query" ? [one.name] : [])),
      ...(BEYOND.parameters.get(path) ?? []),
    ];
    const other = [...searchParams.keys()].find((name) => !known.includes(name));
    if (other !== undefined) return `${path} has no parameter ${other}`;
    return { path, operation, values };
  }
  return `there is no ${method} ${pathname}`;
}

/** Why a request is none that GitHub takes; "" if it is one. */
function wrongHeaders({ headers, body }: Got): string {
  if (headers.accept !== "application/vnd.github+json") return `accept: ${headers.accept}`;
  if (headers["x-github-api-version"] !== "2022-11-28") return "no version of the API";
  if (!headers["user-agent"]) return "no user-agent";
  return body.length > 0 ? "a body" : "";
}

export interface ServedVersion {
  id: number;
  name: string;
  tags: string[];
}

export interface GithubOptions {
  /** Default: `Organization`. */
  type?: "Organization" | "User";
  /** The tokens that count. Default: one. */
  tokens?: string[];
  /** Answers instead of GitHub, with a body that GitHub's description has; true if it did. */
  before?: (
    got: Got,
    answer: (status: number, body?: unknown, headers?: Record<string, string>) => void,
  ) => unknown;
  /** Called right before a version is given. */
  onVersion?: (version: ServedVersion) => void;
  onDeleted?: (version: ServedVersion) => void;
}

export const TOKEN = "ghp_0123456789abcdef";

const basicError = (message: string, status: number) => ({
  message,
  documentation_url: "https://docs.github.com/rest/packages/packages",
  status: String(status),
});

/** GitHub's own words. */
export const WORDS = {
  downloads:
    "Publicly visible package versions with more than 5000 downloads cannot be deleted. Contact GitHub support for further assistance.",
  last: "You cannot delete the last tagged version of a package. You must delete the package instead.",
};

export { basicError };

/**
 * GitHub's API for one package `OWNER/team/app`, on loopback. It holds each request, and each of its own answers, to GitHub's
 * published description; what is against it fails the test.
 */
export async function serveGithub(
  versions: ServedVersion[],
  { type = "Organization", tokens = [TOKEN], before, onVersion, onDeleted }: GithubOptions = {},
): Promise<{ base: string; got: Got[]; versions: ServedVersion[]; wrong: string[] }> {
  const wrong: string[] = [];
  onTestFinished(() => expect(wrong).toEqual([]));

  const answering =
    (response: ServerResponse, matched: Matched, got: Got) =>
    (status: number, body?: unknown, headers: Record<string, string> = {}): void => {
      const described = matched.operation.responses[String(status)];
      const schema = described
        ? described.content?.["application/json"]?.schema
        : BEYOND.statuses.has(String(status))
          ? errorSchema
          : undefined;
      if (!described && !schema) wrong.push(`${got.method} ${matched.path} does not answer ${status}`);
      if (schema ? !ajv.validate(schema, body) : body !== undefined)
        wrong.push(`the answer ${status} of ${matched.path}: ${ajv.errorsText()}`);
      response.writeHead(status, {
        ...(body === undefined ? {} : { "content-type": "application/json; charset=utf-8" }),
        ...headers,
      });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    };

  const served = await serveHttp((got, response) => {
    const matched = match(got);
    const why = typeof matched === "string" ? matched : wrongHeaders(got);
    if (typeof matched === "string" || why !== "") {
      wrong.push(`${got.method} ${got.url}: ${why}`);
      response.writeHead(422).end();
      return;
    }
    const answer = answering(response, matched, got);
    const missing = () => answer(404, basicError("Package not found.", 404));
    if (before?.(got, answer) === true) return;
    if (!tokens.includes((got.headers.authorization ?? "").replace(/^Bearer /, "")))
      return answer(401, basicError("Bad credentials", 401));
    const { path, values } = matched;
    if (path === "/users/{username}") return answer(200, userOf(values.username ?? "", type));
    const isOrg = path.startsWith("/orgs/");
    const owner = values.org ?? values.username ?? "";
    const isThis =
      owner === "owner" && values.package_name === "team/app" && values.package_type === "container";
    if (!isThis || isOrg !== (type === "Organization")) return missing();
    const root = `https://api.github.com/${isOrg ? "orgs" : "users"}/${owner}/packages/container/team%2Fapp`;
    const shown = ({ id, name, tags }: ServedVersion) => ({
      id,
      name,
      url: `${root}/versions/${id}`,
      package_html_url: "https://github.com/orgs/owner/packages/container/package/team%2Fapp",
      created_at: "2026-01-02T03:04:05Z",
      updated_at: "2026-01-02T03:04:05Z",
      metadata: { package_type: "container", container: { tags } },
    });
    if (values.package_version_id === undefined) {
      const { searchParams } = new URL(got.url, "http://github");
      const size = Math.min(100, Number(searchParams.get("per_page") ?? 30));
      const page = Number(searchParams.get("page") ?? 1);
      const isLast = page * size >= versions.length;
      return answer(
        200,
        versions.slice((page - 1) * size, page * size).map(shown),
        isLast ? {} : { link: `<${root}/versions?per_page=${size}&page=${page + 1}>; rel="next"` },
      );
    }
    const at = versions.findIndex(({ id }) => id === Number(values.package_version_id));
    const version = versions[at];
    if (!version) return missing();
    if (got.method === "DELETE") {
      if (versions.length === 1) return answer(400, basicError(WORDS.last, 400));
      versions.splice(at, 1);
      onDeleted?.(version);
      return answer(204);
    }
    onVersion?.(version);
    return answer(200, shown(version));
  });
  return { base: `http://${served.host}`, got: served.got, versions, wrong };
}

/** A user or an organization as everybody sees it. */
function userOf(login: string, type: string): Record<string, unknown> {
  const at = `https://api.github.com/users/${login}`;
  return {
    login,
    id: 1,
    node_id: "MDQ6VXNlcjE=",
    avatar_url: "https://github.com/images/error/octocat_happy.gif",
    gravatar_id: "",
    url: at,
    html_url: `https://github.com/${login}`,
    followers_url: `${at}/followers`,
    following_url: `${at}/following{/other_user}`,
    gists_url: `${at}/gists{/gist_id}`,
    starred_url: `${at}/starred{/owner}{/repo}`,
    subscriptions_url: `${at}/subscriptions`,
    organizations_url: `${at}/orgs`,
    repos_url: `${at}/repos`,
    events_url: `${at}/events{/privacy}`,
    received_events_url: `${at}/received_events`,
    type,
    site_admin: false,
    name: null,
    company: null,
    blog: "",
    location: null,
    email: null,
    hireable: null,
    bio: null,
    public_repos: 1,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: "2020-01-02T03:04:05Z",
    updated_at: "2026-01-02T03:04:05Z",
  };
}

/** What makes `factory` take a server on loopback for another host, such as `https://ghcr.io`. */
export const pretendHost = (origin: string, host: string): NodeJS.ProcessEnv => ({
  NODE_OPTIONS: `--import=${new URL("pretend-host.mjs", import.meta.url).href}`,
  PRETEND_HOSTS: JSON.stringify({ [origin]: `http://${host}` }),
});
