import { describe, expect, it } from "vitest";
import { openCatalog } from "../../src/catalog/open.ts";
import { expand } from "../../src/plan/expand.ts";
import { bakeFiles } from "../../src/plan/formats/bake-files.ts";
import { fragmentFindings } from "../../src/stitch/every-version.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import { errorFrom, factory, type Files, makeCatalog, makeWorkspace, SMALL } from "./workspace.ts";

const YAML = "fragments/core/0.1.1/fragment.yaml";
const BODY = "fragments/core/0.1.1/Dockerfile.hbs";

/** The small workspace with a body for its core, and fields of the contract. */
const core = (body: string, fields = ""): Files => ({
  [YAML]: `${SMALL[YAML]}${fields}`,
  [BODY]: `${body}\n`,
});

const needsOf = (files: Files) => stitch(makeCatalog(files), "demo").secrets;

describe("the secrets that a Dockerfile needs", () => {
  it("are those that its steps mount, however they name them", () => {
    const body = [
      "RUN --mount=type=secret,id=a --mount=target=/run/b,type=SECRET --mount=type=secret,source=c,id=x true",
      'RUN --network=none --mount=type=cache,target=/c --mount="type=secret,id=d,env=TOKEN" true',
      "run \\\n  --mount=type=secret,id=a,env=A \\\n  --mount=type=ssh true",
      "ONBUILD RUN --mount=type=ssh,id=deploy true",
      "COPY --from=busybox:1 /x /x",
      "CMD --mount=type=secret,id=none",
    ].join("\n");
    const needs = needsOf(core(body, "secrets: [a, b, c, d]\nssh: [default, deploy]\n"));
    expect(needs).toEqual([
      { kind: "secret", id: "a", asVariable: true, by: ["core@0.1.1"] },
      { kind: "secret", id: "b", asVariable: false, by: ["core@0.1.1"] },
      { kind: "secret", id: "c", asVariable: false, by: ["core@0.1.1"] },
      { kind: "secret", id: "d", asVariable: true, by: ["core@0.1.1"] },
      { kind: "ssh", id: "default", asVariable: false, by: ["core@0.1.1"] },
      { kind: "ssh", id: "deploy", asVariable: false, by: ["core@0.1.1"] },
    ]);
  });

  it("name all that ask: templates too", () => {
    const template = "templates/plain/0.1.0";
    const needs = needsOf({
      ...core("RUN --mount=type=secret,id=a true", "secrets: [a]\n"),
      [`${template}/template.yaml`]: `${SMALL[`${template}/template.yaml`]}secrets: [a]\n`,
      [`${template}/Dockerfile.hbs`]: (SMALL[`${template}/Dockerfile.hbs`] ?? "").replace(
        "{{labels}}",
        "RUN --mount=type=secret,id=a,env=A true\n{{labels}}",
      ),
    });
    expect(needs).toEqual([{ kind: "secret", id: "a", asVariable: true, by: ["core@0.1.1", "plain@0.1.0"] }]);
  });

  it("are those that BuildKit takes by itself for an ADD of a git repository, where they are declared", () => {
    const commit = "0123456789abcdef0123456789abcdef01234567";
    const fields = "secrets: [GIT_AUTH_TOKEN, GIT_AUTH_HEADER.git.example]\nssh: [default]\n";
    const ids = (body: string) => needsOf(core(body, fields)).map(({ kind, id }) => `${kind} ${id}`);
    expect(ids(`ADD --keep-git-dir=true git@git.example:team/x.git#${commit} /x`)).toEqual([
      "secret GIT_AUTH_HEADER.git.example",
      "secret GIT_AUTH_TOKEN",
      "ssh default",
    ]);
    expect(ids("ADD --checksum=sha256:" + "0".repeat(64) + " https://x.example/x.tgz /x")).toEqual([]);
    expect(needsOf(core(`ADD git@git.example:team/x.git#${commit} /x`))).toEqual([]);
  });

  it("are only those of the text that is rendered", () => {
    const body = "{{#if args.private}}RUN --mount=type=secret,id=a true{{/if}}";
    const files = core(body, "secrets: [a]\n");
    const yaml = (files[YAML] ?? "").replace("args: {", "args: {private: {type: boolean, default: false}, ");
    expect(needsOf({ ...files, [YAML]: yaml })).toEqual([]);
    const catalog = makeCatalog({ ...files, [YAML]: yaml });
    expect(stitch(catalog, "demo", { args: { private: true } }).secrets).toHaveLength(1);
  });

  it("change the recipe key with their ids, and not with where they come from", () => {
    const key = (files: Files) => stitch(makeCatalog(files), "demo").recipe_key;
    const one = core("RUN --mount=type=secret,id=a true", "secrets: [a]\n");
    const other = core("RUN --mount=type=secret,id=b true", "secrets: [b]\n");
    const settings = (text: string) => ({ ...one, "factory.yaml": `${SMALL["factory.yaml"]}${text}` });
    expect(key(other)).not.toBe(key(one));
    expect(key(settings("secrets: {a: {env: A}}\n"))).toBe(key(one));
    expect(key(settings("secrets: {a: {file: /x}}\nnetwork: {ca: {env: CA}}\n"))).toBe(key(one));
  });
});

describe("refuses", () => {
  it.each<[string, string, string, string, string]>([
    ["a mount of what is not declared", "RUN --mount=type=secret,id=a true", "", "SECRET_UNDECLARED", BODY],
    [
      "SSH that is not declared",
      "RUN --mount=type=ssh true",
      "secrets: [default]\n",
      "SECRET_UNDECLARED",
      BODY,
    ],
    [
      "an id that is a variable",
      "ARG X=a\nRUN --mount=type=secret,id=$X true",
      "secrets: [X]\n",
      "SECRET_UNDECLARED",
      BODY,
    ],
    [
      "an id with a path",
      "RUN --mount=type=secret,id=../a true",
      "secrets: [a]\n",
      "SECRET_UNDECLARED",
      BODY,
    ],
    ["what no step uses", "RUN true", "secrets: [a_secret]\n", "SECRET_UNUSED", YAML],
    ["SSH that no step uses", "RUN true", "ssh: [default]\n", "SECRET_UNUSED", YAML],
    ["an ARG for a token", "ARG NPM_TOKEN\nRUN true", "", "SECRET_EXPOSED", BODY],
    ["a token in an ENV", "ENV A=1 B=ghp_0123456789abcdefghijklmnopqrstuvwxyz", "", "SECRET_EXPOSED", BODY],
    ["an ENV of the old form", "ENV API_KEY 0a1b2c3d4e5f60718293", "", "SECRET_EXPOSED", BODY],
    ["an ARG with a value", 'ARG DB_PASSWORD="xK9-f3LmQ02-aZ71pp"', "", "SECRET_EXPOSED", BODY],
    ["a password in a URL", "ENV INDEX=https://me:pw@index.example/simple", "", "SECRET_EXPOSED", BODY],
    ["an ONBUILD ARG for a token", "ONBUILD ARG NPM_TOKEN", "", "SECRET_EXPOSED", BODY],
  ])("%s, with a place and a fix", (_, body, fields, code, file) => {
    const error = errorFrom(() => stitch(makeCatalog(core(body, fields)), "demo"));
    expect(error).toMatchObject({ code, where: { file } });
    expect(error.fix).toMatch(/\S/);
    expect(error.message).not.toMatch(/ghp_|0a1b2c|xK9|pw@/);
    const catalog = makeCatalog(core(body, fields));
    expect(fragmentFindings(catalog, catalog.fragment("core", "0.1.1")).map((one) => one.code)).toEqual([
      code,
    ]);
  });

  it.each([
    "ENV GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D",
    "ENV PYTHON_SHA256=6d7e2b6e6b5f0e2c6b7a8f9e0d1c2b3a4f5e6d7c8b9a0f1e2d3c4b5a6f7e8d9c",
    "ENV TOKEN_FILE=/run/secrets/token TOKEN_PATH=/x MAX_TOKENS=512 MAX_TOKEN=512",
    "ENV POSTGRES_PASSWORD=postgres MYSQL_ALLOW_EMPTY_PASSWORD=yes",
    "ENV SECRET_KEY=changeme SECRET_KEY_BASE=dummy",
    "ENV PAD_TOKEN='<pad>' TOKENIZERS_PARALLELISM=false",
    "ENV PASSWORD_HASHER=argon2id ACCESS_TOKEN=",
    "ENV REFRESH_TOKEN_URL=https://idp.example/oauth2/v1/token",
    "ENV DATABASE_URL=postgres://app@db/app2024 REPO=git@github.com:team/app1.git",
    "ENV SSH_PUBLIC_KEY=AAAAC3NzaC1lZDI1NTE5AAAAIJ1 PUBLIC_API_KEY=0a1b2c3d4e5f60718293",
    "ARG PORT=80 VERSION KEY AUTH",
    "ARG TOKEN_COUNT",
    "LABEL token=0123456789abcdef0123",
    "RUN TOKEN=$(cat /run/secrets/x) true",
    "ENV PATH=/opt/token:$PATH PRIVATE_KEY=/etc/ssl/private/server2024.key",
  ])("no harmless line: %s", (body) => {
    expect(needsOf(core(body))).toEqual([]);
  });

  it("a secret that is declared twice, or has no name for a secret", () => {
    const ids = [
      "[a, a]",
      "['../x']",
      "['a,src=/etc/shadow']",
      "['${x}']",
      "['a\\nb']",
      "[factory_ca]",
      "['']",
    ];
    for (const list of ids) {
      const root = makeWorkspace(core("RUN --mount=type=secret,id=a true", `secrets: ${list}\n`));
      const { status, stdout } = factory(root, ["validate"]);
      expect(status).toBe(2);
      expect(stdout).toContain(`error SCHEMA`);
      expect(stdout).toContain(`at ${YAML}:6:`);
    }
  });
});

describe("where secrets come from", () => {
  const used = core("RUN --mount=type=secret,id=a true", "secrets: [a]\n");
  const settings = (yaml: string, local?: string): Files => ({
    ...used,
    "factory.yaml": `${SMALL["factory.yaml"]}${yaml}`,
    ...(local === undefined ? {} : { "factory.local.yaml": `schema_version: 1\n${local}` }),
  });
  const validate = (files: Files) => {
    const { stdout, status } = factory(makeWorkspace(files), ["validate"]);
    return status === 0 ? "valid" : stdout;
  };

  it("has to be said, for each manifest that needs them; in either file", () => {
    expect(validate(used)).toContain(
      "error SECRET_UNKNOWN: nothing says where the secret `a` comes from (needed by core@0.1.1)",
    );
    expect(validate(settings("secrets: {a: {env: A}}\n"))).toBe("valid");
    expect(validate(settings("", "secrets: {a: {command: [pass, a]}}\n"))).toBe("valid");
  });

  it("may be for some fragments alone, which the local file does not open to more", () => {
    expect(validate(settings("secrets: {a: {env: A, for: [core]}}\n"))).toBe("valid");
    for (const local of ["", "secrets: {a: {file: /x}}\n"]) {
      const text = validate(settings("secrets: {a: {env: A, for: [app]}}\n", local));
      expect(text).toContain("error SECRET_UNKNOWN: the secret `a` is not for core@0.1.1");
    }
  });

  it.each<[string, string, string]>([
    ["no way", "secrets: {a: {}}", "`secrets.a` does not say where the value comes from"],
    ["two ways", "secrets: {a: {env: A, file: /x}}", "`secrets.a` says in 2 ways where the value comes from"],
    ["a path that leads out", "secrets: {a: {file: ../x}}", "`../x` leads out of the workspace"],
    ["a path that leads out further on", "secrets: {a: {file: b/../../x}}", "leads out of the workspace"],
    ["a command as a text", "secrets: {a: {command: pass show a}}", "`secrets.a.command` is the text"],
    ["a command for SSH", "ssh: {default: {command: [x]}}", "there is no field `command` in `ssh.default`"],
    ["an odd variable", "secrets: {a: {env: 'A B'}}", "`secrets.a.env` is the text `A B`"],
    ["an id that is a path", "secrets: {'../a': {env: A}}", "`../a` cannot be a name in `secrets`"],
    ["a proxy without a source", "network: {proxy: {http: {}}}", "`network.proxy.http` does not say where"],
  ])("is refused: %s", (_, yaml, words) => {
    const text = validate(settings(`${yaml}\n`));
    expect(text).toContain(words);
    expect(text).toMatch(/at factory\.yaml:4:\d+\n {2}fix: /);
  });

  it("replaces the entry of factory.yaml in factory.local.yaml, which has nothing else", () => {
    const root = makeWorkspace(
      settings("secrets: {a: {env: A}, b: {env: B}}\n", "secrets: {a: {file: ../x}, c: {env: C}}\n"),
    );
    const { secrets } = openCatalog(root).secrets();
    expect(
      Object.entries(secrets).map(([id, { source, mayLeave, where }]) => [id, source, mayLeave, where.file]),
    ).toEqual([
      ["a", { file: "../x" }, true, "factory.local.yaml"],
      ["b", { env: "B" }, false, "factory.yaml"],
      ["c", { env: "C" }, true, "factory.local.yaml"],
    ]);
    const text = validate(settings("secrets: {a: {env: A}}\n", "repository: registry.example/mine\n"));
    expect(text).toContain("there is no field `repository`");
    expect(text).toContain("at factory.local.yaml:2:1");
  });
});

it("stands in a bake file in a form that can be filled", () => {
  const catalog = makeCatalog(
    core(
      "RUN --mount=type=secret,id=pip_index,env=X --mount=type=ssh true",
      "secrets: [pip_index]\nssh: [default]\n",
    ),
  );
  const { cells } = expand(catalog, { manifestId: "demo" }, { today: "2026-01-01" });
  const [file] = bakeFiles(cells, {
    dockerfile: () => "Dockerfile",
    cache: { place: { type: "registry", repository: "registry.example/cache" }, writes: true },
    output: () => [],
    header: { command: "factory plan" },
  });
  const text = file?.text ?? "";
  expect(text).toContain("# Steps need secrets. Set FACTORY_SECRET_pip_index to its value first.\n");
  expect(text).toContain("# Steps need SSH. Start an agent (SSH_AUTH_SOCK), and bake with --allow=ssh.\n");
  const attribute =
    '  secret = ["type=env,id=pip_index,env=FACTORY_SECRET_pip_index"]\n  ssh = ["default"]\n';
  expect(text.split(attribute)).toHaveLength(1 + cells.length + (file?.prefixes.length ?? 0));
});
