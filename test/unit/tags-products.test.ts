import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkWorkspace } from "../../src/catalog/check.ts";
import { SCHEMES } from "../../src/catalog/schemes/schemes.ts";
import { readTag } from "../../src/model/tag-template.ts";
import type { Cell } from "../../src/plan/cell.ts";
import { bakeTags } from "../../src/publish/bake-tags.ts";
import { type Claim, compareClaimants, equalClaims, settle } from "../../src/publish/claims.ts";
import { type Combination, combinationsOf, proofOf } from "../../src/publish/combination.ts";
import { originOf } from "../../src/publish/origin.ts";
import { renderTag } from "../../src/publish/render-tag.ts";
import { publishedOf, tagFindings, tagList } from "../../src/publish/published-tags.ts";
import { madeCell } from "./plan-made-cells.ts";
import { makeCatalog, SMALL } from "./workspace.ts";

const { pep440, semver, opaque, calver } = SCHEMES;
const COMMIT = "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c";
const GIT = { commit: COMMIT, branch: "main", default_branch: "main", tags: [], tags_here: [] };

const product = (text: string) => `schema_version: 1
product_id: demo
manifest_id: demo
repository: registry.example/public/demo
${text}
`;

/** The small workspace with a plan over core and a named axis, and a product. */
const withProduct = (text: string, plan = "") => ({
  ...SMALL,
  "control_plane/plans/grid.yaml": `schema_version: 1
plan_id: grid
manifest_id: demo
axes: {core: [0.1.0, 0.1.1, 0.2.0]}
zip:
  - name: variant
    values: {slim: {args: {name: slim}}, full: {args: {name: full}}}
${plan}
`,
  "control_plane/products/demo.yaml": product(text),
});

/** Cells as `--reuse` leaves them. */
function cellOf(
  fragments: Record<string, string>,
  { proven = true, platform = "linux/amd64", ...cell }: Partial<Cell> & { proven?: boolean } = {},
): Cell {
  const { cell: made } = madeCell({
    fragments,
    platform,
    cell: {
      action: proven ? "reuse" : "build",
      reason: proven ? null : "NEW",
      record_id: proven ? "r1" : null,
      ...cell,
    },
  });
  const name = Object.values(cell.named ?? {}).join("-");
  return name === "" ? made : { ...made, cell_id: `${made.cell_id}.${name}` };
}

const TAGS = `tags:
  - "{{core.version}}-{{variant}}"
  - "{{core.major}}.{{core.minor}}-{{variant}}"
  - {tag: "{{core.major}}", when: {variant: slim}}
  - {tag: latest, when: {variant: [slim]}}`;

/** The tags of the product in `withProduct`, with what each stands for. */
function tagsOf(text: string, cells: readonly Cell[], origin = originOf(null, GIT)) {
  const catalog = makeCatalog(withProduct(text));
  const products = publishedOf(catalog, [catalog.product("demo")], new Map([["demo", cells]]));
  const list = tagList(catalog, products, { origin, gitTags: [] });
  const short = (ref: string) => ref.slice(ref.lastIndexOf(":") + 1);
  return {
    ...list,
    list,
    given: Object.fromEntries(list.tags.map(({ ref, cell_id }) => [short(ref), cell_id])),
    kinds: Object.fromEntries(list.tags.map(({ ref, kind }) => [short(ref), kind])),
    lacking: Object.fromEntries(list.missing.map(({ what, why }) => [short(what), why])),
  };
}

const grid = (proven: (version: string, variant: string, platform: string) => boolean = () => true) =>
  ["0.1.0", "0.1.1", "0.2.0"].flatMap((core) =>
    ["slim", "full"].flatMap((variant) =>
      ["linux/amd64", "linux/arm64"].map((platform) =>
        cellOf(
          { core, app: "0.1.0" },
          { platform, named: { variant }, args: { name: variant }, proven: proven(core, variant, platform) },
        ),
      ),
    ),
  );

const idOf = (core: string, variant: string) =>
  cellOf({ core, app: "0.1.0" }, { named: { variant } }).cell_id;

describe("the tags of a product", () => {
  it("name each combination, and move to the highest version", () => {
    const { given, kinds, missing, findings, tags } = tagsOf(TAGS, grid());
    expect(findings).toEqual([]);
    expect(missing).toEqual([]);
    expect(given).toMatchObject({
      "0.1.0-slim": idOf("0.1.0", "slim"),
      "0.1.1-full": idOf("0.1.1", "full"),
      "0.1-slim": idOf("0.1.1", "slim"),
      "0.2-full": idOf("0.2.0", "full"),
      "0": idOf("0.2.0", "slim"),
      latest: idOf("0.2.0", "slim"),
    });
    expect(kinds).toMatchObject({ "0.1.0-slim": "exact", "0.1-slim": "moving", "0.2-full": "moving" });
    expect(tags.at(-1)).toMatchObject({
      ref: "registry.example/public/demo:latest",
      record_ids: ["r1", "r1"],
      cell_ids: [idOf("0.2.0", "slim"), idOf("0.2.0", "slim").replace("amd64", "arm64")],
    });
  });

  it("stand only for what is proven on all platforms, and say what is not", () => {
    const { given, lacking } = tagsOf(
      TAGS,
      grid(
        (core, variant, platform) => !(core === "0.2.0" && variant === "slim" && platform === "linux/arm64"),
      ),
    );
    expect(given).toMatchObject({ "0": idOf("0.1.1", "slim"), latest: idOf("0.1.1", "slim") });
    expect(given).not.toHaveProperty("0.2.0-slim");
    expect(given).not.toHaveProperty("0.2-slim");
    const arm = idOf("0.2.0", "slim").replace("amd64", "arm64");
    expect(lacking["0.2.0-slim"]).toBe(`${arm} is not proven (NEW)`);
    expect(lacking.latest).toBe(`${idOf("0.1.1", "slim")} has it, since ${arm} is not proven (NEW)`);
  });

  it("count a cell that two plans have by different ids once, and proven by either", () => {
    const twice = grid().flatMap((cell) => [
      { ...cell, cell_id: `${cell.cell_id}.z`, record_id: null },
      cell,
    ]);
    const { tags, missing } = tagsOf(TAGS, twice);
    expect(missing).toEqual([]);
    for (const { cell_id, cell_ids, record_ids } of tags) {
      expect(cell_ids).toHaveLength(2);
      expect(cell_ids[0]).toBe(cell_id);
      expect(cell_id).not.toMatch(/\.z$/);
      expect(record_ids).toEqual(["r1", "r1"]);
    }
  });

  it("need every platform that the plan or manifest declares", () => {
    const { given, lacking } = tagsOf(
      TAGS,
      grid().filter(({ platform, fragments }) => platform === "linux/amd64" || fragments.core !== "0.2.0"),
    );
    expect(given).not.toHaveProperty("0.2.0-full");
    expect(lacking["0.2.0-full"]).toBe("no cell is planned for linux/arm64");
  });

  it("are none of what is meant to fail, of other manifests, and of other plans", () => {
    const catalog = makeCatalog(withProduct(`${TAGS}\nplans: [grid]`));
    const { document } = catalog.product("demo");
    const expect_ = { result: "fail", owner: "x", reason: "y", until: "never" } as const;
    const cells = [
      cellOf({ core: "0.1.0" }, { expect: expect_ }),
      cellOf({ core: "0.1.1" }, { manifest_id: "other" }),
      cellOf({ core: "0.2.0" }, { plan_ids: ["elsewhere"] }),
      cellOf({ core: "0.1.0" }, { args: { port: 1 } }),
    ];
    const found = combinationsOf(catalog, document, cells);
    expect(found.map(({ first }) => first)).toEqual([cells[3]]);
  });

  it("are not given for a pull request, a feature branch or an older release", () => {
    for (const event of [
      { kind: "pull_request", number: 1, commit: COMMIT, fork: true },
      { kind: "branch", branch: "x", is_default: false, commit: COMMIT },
      { kind: "tag", tag: "nightly", prerelease: false, commit: COMMIT },
      { kind: "merge_queue", commit: COMMIT },
      { kind: "other" },
    ] as const) {
      const { kinds } = tagsOf(TAGS, grid(), originOf(event, GIT));
      expect(Object.values(kinds).filter((kind) => kind === "exact" || kind === "moving")).toEqual([]);
    }
  });

  it("of a commit are told apart by the exact ones; the latest combination has them as they are", () => {
    const event = { kind: "pull_request", number: 7, commit: COMMIT, fork: false } as const;
    const { given, lacking } = tagsOf(
      TAGS,
      grid((core) => core !== "0.2.0"),
      originOf(event, GIT),
    );
    expect(given["pr-7-0d1a26e"]).toBe(idOf("0.2.0", "slim"));
    expect(given["pr-7-0d1a26e-0.1.0-full"]).toBe(idOf("0.1.0", "full"));
    expect(Object.keys(given)).toHaveLength(7);
    // They name what is being built; that it is not proven yet is said.
    expect(lacking["pr-7-0d1a26e"]).toContain("is not proven");
  });

  it("of a release of a single combination end with latest", () => {
    const event = { kind: "tag", tag: "v1.2.3", prerelease: false, commit: COMMIT } as const;
    const cells = [
      cellOf({ core: "0.1.0", app: "0.1.0" }),
      cellOf({ core: "0.1.0", app: "0.1.0" }, { platform: "linux/arm64" }),
    ];
    const { tags } = tagsOf('tags: [latest, "{{core.version}}"]', cells, originOf(event, GIT));
    expect(tags.map(({ ref, kind }) => `${ref.split(":")[1]} ${kind}`)).toEqual([
      "sha-0d1a26e sha",
      "1.2.3 semver",
      "1.2 semver",
      "1 semver",
      "0.1.0 exact",
      "latest latest",
    ]);
  });

  it("are findings where two cells would have one", () => {
    const { findings } = tagsOf('tags: ["{{core.version}}"]', grid());
    expect(findings).toHaveLength(3);
    expect(findings[0]).toMatchObject({
      code: "TAG_COLLISION",
      where: { file: "control_plane/products/demo.yaml" },
    });
    expect(findings[0]?.what).toContain(idOf("0.1.0", "full"));
    expect(findings[0]?.what).toContain(idOf("0.1.0", "slim"));
    const pinned = tagsOf('tags: ["{{core.major}}"]', grid()).findings;
    expect(pinned).toHaveLength(1);
  });

  it("are findings where the text is no tag, or no cell is meant", () => {
    const bad = grid().map((cell) => ({ ...cell, args: { name: "a b/c" } }));
    expect(tagsOf('tags: ["{{args.name}}"]', bad).findings[0]).toMatchObject({ code: "TAG_INVALID" });
    const long = grid().map((cell) => ({ ...cell, args: { name: "x".repeat(129) } }));
    expect(tagsOf('tags: ["{{args.name}}"]', long).findings[0]).toMatchObject({ code: "TAG_INVALID" });
    const nobody = tagsOf("tags: [{tag: x, when: {variant: thin}}]", grid()).findings;
    expect(nobody).toMatchObject([{ code: "RULE_UNUSED" }]);
  });

  it("say which cells lack what they name", () => {
    const cells = [...grid(), cellOf({ core: "0.3.0", app: "0.1.0" }, { args: { name: "x" } })];
    expect(tagsOf(TAGS, cells).lacking["{{core.version}}-{{variant}}"]).toMatch(
      /^demo\.\S+ has no `variant`$/,
    );
  });

  it("of two products in one repository are not the same for different cells", () => {
    const catalog = makeCatalog({
      ...withProduct(TAGS),
      "control_plane/products/other.yaml": product("tags: [{tag: latest, when: {variant: full}}]").replace(
        "product_id: demo",
        "product_id: other",
      ),
    });
    const products = [catalog.product("demo"), catalog.product("other")];
    const published = publishedOf(catalog, products, new Map([["demo", grid()]]));
    const wanted = [{ code: "TAG_COLLISION", where: { file: "control_plane/products/other.yaml" } }];
    expect(tagFindings(catalog, published)).toMatchObject(wanted);
    const origin = originOf(
      { kind: "branch", branch: "main", is_default: true, commit: null },
      { ...GIT, commit: null },
    );
    expect(tagList(catalog, published, { origin, gitTags: [] }).findings).toMatchObject(wanted);
  });

  it("are written for bake beside a cell's own, one per platform", () => {
    const cells = grid();
    const text = bakeTags(tagsOf(TAGS, cells).tags, cells);
    expect(text).toContain('    "registry.example/public/demo:latest-linux-arm64",\n');
    expect(text).toContain(`target "${cells[0]?.target}" {\n  tags = [\n    "${cells[0]?.tags[0]}",\n`);
    const single = cells.filter(({ platform }) => platform === "linux/amd64").map((cell) => ({ ...cell }));
    const one = single.slice(0, 1);
    expect(
      bakeTags(
        [
          {
            product_id: "demo",
            ref: "r.example/x:1",
            kind: "exact",
            cell_id: one[0]!.cell_id,
            cell_ids: [one[0]!.cell_id],
            record_ids: [],
          },
        ],
        one,
      ),
    ).toContain('"r.example/x:1",\n');
  });
});

describe("validate", () => {
  const codes = (text: string, plan = "") =>
    checkWorkspace(makeCatalog(withProduct(text, plan))).findings.map(({ code, fix, where }) => [
      code,
      fix,
      where?.line,
    ]);

  it("takes what cells have", () => {
    expect(codes(TAGS)).toEqual([]);
    expect(
      codes('tags: ["{{ core.patch }}-{{base.tag}}-{{args.port}}-{{args.app.port}}-{{base.name}}"]'),
    ).toEqual([]);
  });

  it.each([
    ['"{{core.versoin}}"', "TAG_UNKNOWN_NAME", "did you mean `core.version`?"],
    ['"{{varient}}"', "TAG_UNKNOWN_NAME", "did you mean `variant`?"],
    ['"{{args.prot}}"', "TAG_UNKNOWN_NAME", "did you mean `args.port`?"],
    ['"{{base.tga}}"', "TAG_UNKNOWN_NAME", "did you mean `base.tag`?"],
    ["{tag: x, when: {varaint: slim}}", "UNKNOWN_AXIS", "did you mean `variant`?"],
    ["{tag: x, when: {platform: linux/amd64}}", "SCHEMA", "remove `platform`"],
  ])("names what no cell has: %s", (item, code, fix) => {
    expect(codes(`tags: [latest, ${item}]`)).toEqual([[code, fix, 5]]);
  });

  it.each(['"{{core}"', '"{{core.version|x}}"', '"{{#each x}}"', '"a b"', '"{{../x}}"', '"${x}"'])(
    "refuses what is no tag: %s",
    (item) => {
      expect(codes(`tags: [${item}]`)[0]?.[0]).toBe("SCHEMA");
    },
  );

  it("names a plan that is not over the manifest", () => {
    expect(codes("plans: [gird]")).toEqual([["UNKNOWN_PLAN", "did you mean `grid`?", 5]]);
  });
});

describe("a version in a tag", () => {
  it.each([
    [semver, "1.2.3-rc.1+b.5", ["1", "2", "3"]],
    [pep440, "3.13", ["3", "13", "0"]],
    [pep440, "1!2.3.4.post1", ["2", "3", "4"]],
    [calver, "24.04", ["24", "04"]],
    [calver, "2024-11-05", ["2024", "11", "05"]],
  ] as const)("of %s has the parts of its scheme", (scheme, version, parts) => {
    expect(scheme.partsOf?.(version)).toEqual(parts);
  });

  it("that has no such part is lacking, and one of a library is found by its whole name", () => {
    const { cell } = madeCell({
      fragments: { "company.core": "24.04", os: "abc" },
      base: "r.example:5000/team/debian@sha256:0",
    });
    const schemeOf = (name: string) => (name === "os" ? opaque : calver);
    const tag = (text: string) => renderTag(readTag(text), cell, schemeOf);
    expect(tag("{{company.core.major}}.{{ company.core.minor }}-x")).toEqual({ tag: "24.04-x" });
    expect(tag("{{company.core.patch}}")).toEqual({ lacks: "company.core.patch" });
    expect(tag("{{os.version}}")).toEqual({ tag: "abc" });
    expect(tag("{{os.major}}")).toEqual({ lacks: "os.major" });
    expect(tag("{{base.name}}")).toEqual({ tag: "debian" });
    expect(tag("{{base.tag}}")).toEqual({ lacks: "base.tag" });
    expect(tag("{{toString}}")).toEqual({ lacks: "toString" });
    expect(tag("{{constructor.version}}")).toEqual({ lacks: "constructor.version" });
  });

  it("is the text around it and its value, whatever they are", () => {
    const text = fc.stringMatching(/^[A-Za-z0-9._-]{0,10}$/);
    const version = fc.tuple(fc.nat(99), fc.nat(99), fc.nat(99)).map((parts) => parts.join("."));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(text, fc.constantFrom("a", "b.c", "d-e_f")), { minLength: 1 }),
        version,
        text,
        (pieces, own, end) => {
          const { cell } = madeCell({ fragments: { a: own, "b.c": own, "d-e_f": own } });
          const template = pieces.map(([before, name]) => `${before}{{${name}.version}}`).join("") + end;
          const expected = pieces.map(([before]) => `${before}${own}`).join("") + end;
          expect(renderTag(readTag(template), cell, () => semver)).toEqual({ tag: expected });
        },
      ),
    );
  });
});

describe("who has a moving tag", () => {
  const version = fc
    .tuple(fc.nat(2), fc.nat(2), fc.constantFrom("", "-rc.1"))
    .map(([a, b, more]) => `1.${a}.${b}${more}`);
  const claimant = fc.record({ core: version, light: version, proven: fc.boolean() });
  const order = ["core", "light"];
  const combinations = fc.uniqueArray(claimant, {
    minLength: 1,
    maxLength: 8,
    selector: ({ core, light }) => `${core} ${light}`,
  });
  const made = ({ core, light, proven }: { core: string; light: string; proven: boolean }): Combination => {
    const first = cellOf({ core, light }, { proven });
    return { cells: [first], first, platforms: ["linux/amd64"] };
  };

  it("is the highest that is proven and no pre-release, in whatever order they are asked", () => {
    fc.assert(
      fc.property(
        combinations.chain((own) =>
          fc.tuple(fc.constant(own), fc.shuffledSubarray(own, { minLength: own.length })),
        ),
        ([own, shuffled]) => {
          const claim = (list: typeof own): Claim => ({
            tag: "latest",
            claimants: list.map(made),
            order,
            moves: true,
          });
          const holder = (list: typeof own) =>
            settle(claim(list), proofOf, () => semver).holder?.combination.first.cell_id;
          // The model: take those that are proven, sort texts of numbers, drop pre-releases of what varies.
          const varies = (name: "core" | "light") => new Set(own.map((one) => one[name])).size > 1;
          const rank = ({ core, light }: (typeof own)[number]) =>
            [core, light]
              .map((text) => text.replace("-rc.1", ".0").replace(/^(\d+\.\d+\.\d+)$/, "$1.1"))
              .join(" ");
          const best = own
            .filter(({ proven }) => proven)
            .filter(
              (one) => !order.some((name) => varies(name as "core") && one[name as "core"].includes("-")),
            )
            .sort((a, b) => (rank(a) < rank(b) ? 1 : -1))[0];
          expect(holder(own)).toBe(best && made(best).first.cell_id);
          expect(holder(shuffled)).toBe(holder(own));
          expect(equalClaims(claim(own), () => semver)).toBeNull();
        },
      ),
    );
  });

  it("is nobody by a version that its scheme does not order", () => {
    const alone = (core: string): Combination => {
      const first = cellOf({ core });
      return { cells: [first], first, platforms: [] };
    };
    const [a, b] = [alone("abc"), alone("abd")];
    expect(compareClaimants(a, b, ["core"], () => opaque)).toBe(0);
    expect(equalClaims({ tag: "x", claimants: [a, b], order: ["core"], moves: true }, () => opaque)).toEqual([
      a,
      b,
    ]);
  });
});

describe("what chooses the cells of a tag", () => {
  it("names an argument under `args`: written as in cells it is told how", () => {
    const findings = checkWorkspace(
      makeCatalog(withProduct('tags: [{tag: a, when: {"args.name": slim}}]')),
    ).findings;
    expect(findings).toEqual([
      expect.objectContaining({ code: "UNKNOWN_AXIS", fix: "write `args: { name: … }`" }),
    ]);
  });
});

describe("the tags of repacked images", () => {
  const REPACK = `${TAGS}\nrepack: {with: zstd, tag_suffix: -small}`;
  const layers = {
    with: "zstd",
    target_size: 50e6,
    tag_suffix: "-small",
    reason: null,
    kept_back: null,
  } as const;

  /** The cells of `grid`, repacked where it is said. */
  const repacked = (how: (cell: Cell) => Partial<NonNullable<Cell["repack"]>> = () => ({})) =>
    grid().map((cell): Cell => {
      const own = { ...layers, action: "reuse" as const, record_id: `of ${cell.cell_id}`, ...how(cell) };
      return { ...cell, repack: own };
    });

  it("stand beside those of the images that they were made from, with records of their own", () => {
    const { tags, missing, kept_back, findings, list, given } = tagsOf(REPACK, repacked());
    expect([missing, kept_back, findings]).toEqual([[], [], []]);
    const plain = tags.filter((one) => !one.repacked);
    const own = tags.filter((one) => one.repacked);
    expect(plain.filter(({ kind }) => kind !== "sha").map(({ ref }) => `${ref}-small`)).toEqual(
      own.map(({ ref }) => ref),
    );
    for (const [tag, cell] of [
      ["0-small", idOf("0.2.0", "slim")],
      ["0.1-full-small", idOf("0.1.1", "full")],
    ] as const)
      expect(given[tag]).toBe(cell);
    expect(own[0]?.record_ids).toEqual(own[0]?.cell_ids.map((id) => `of ${id}`));
    // Bake makes images as they are built.
    expect(bakeTags(list.tags, grid())).not.toContain("-small");
    expect(bakeTags(list.tags, grid())).toBe(bakeTags(plain, grid()));
  });

  it("are missing where one platform is not proven, and follow the tag that they are beside", () => {
    const { given, lacking } = tagsOf(
      REPACK,
      repacked(({ fragments, platform }) =>
        fragments.core === "0.2.0" && platform === "linux/arm64"
          ? { action: "repack", reason: "NEW", record_id: null }
          : {},
      ),
    );
    // The newest is not there in other layers: an older one would be something else than the tag beside it.
    expect(given).toMatchObject({ "0": idOf("0.2.0", "slim"), "0.1-slim-small": idOf("0.1.1", "slim") });
    expect(given).not.toHaveProperty("0-small");
    expect(lacking["0-small"]).toMatch(/^in other layers, .*arm64.* is not proven \(NEW\)$/);
  });

  it("are not given to what saves too little: nothing is missing for that", () => {
    const why = "it saves 1.0 %, and the policy asks for 5.0 %";
    const { given, missing, kept_back } = tagsOf(
      REPACK,
      repacked(({ fragments }) => (fragments.core === "0.2.0" ? { kept_back: why } : {})),
    );
    expect(missing).toEqual([]);
    expect(given).not.toHaveProperty("latest-small");
    const told = kept_back.find(({ what }) => what.endsWith(":latest-small"));
    expect(told?.why).toMatch(
      /^demo\..*slim.* in other layers: it saves 1.0 %, and the policy asks for 5.0 %$/,
    );
  });

  it("are not given where the image itself is not proven, or the product does not ask", () => {
    const cells = repacked().map((cell): Cell =>
      cell.fragments.core === "0.2.0" ? { ...cell, action: "build", reason: "NEW", record_id: null } : cell,
    );
    const { given } = tagsOf(REPACK, cells);
    expect(given).toMatchObject({ "0-small": idOf("0.1.1", "slim") });
    expect(given).not.toHaveProperty("0.2.0-slim-small");
    expect(tagsOf(TAGS, repacked()).tags.filter((one) => one.repacked)).toEqual([]);
  });

  it("are findings where they are the tags of something else, or no tags", () => {
    const both = `tags: ["{{core.version}}-{{variant}}", "{{core.version}}-{{variant}}-small"]\nrepack: {with: zstd, tag_suffix: -small}`;
    const codes = (text: string) =>
      tagsOf(text, repacked()).findings.map(({ code, where }) => [code, where?.line]);
    expect(new Set(codes(both).map(([code]) => code))).toEqual(new Set(["TAG_COLLISION"]));
    const { findings } = tagsOf(both, repacked());
    expect(findings).toHaveLength(6);
    expect(findings[0]?.what).toMatch(
      /demo:0.1.0-full-small.* both an image as it was built and a repacked one/,
    );
    const long = `tags: ["{{core.version}}-{{variant}}-${"x".repeat(115)}"]\nrepack: {with: zstd, tag_suffix: -small}`;
    expect(new Set(codes(long).map(([code]) => code))).toEqual(new Set(["TAG_INVALID"]));
  });

  it("of two products are findings where they are one", () => {
    const other = product(REPACK).replace("product_id: demo", "product_id: other");
    const catalog = makeCatalog({
      ...withProduct('tags: [{tag: "one-small", when: {core: 0.1.0, variant: slim}}]'),
      "control_plane/products/other.yaml": other.replace(
        TAGS,
        "tags: [{tag: one, when: {core: 0.1.0, variant: slim}}]",
      ),
    });
    const cells = new Map([["demo", repacked()]]);
    const products = publishedOf(catalog, [catalog.product("demo"), catalog.product("other")], cells);
    const { findings } = tagList(catalog, products, { origin: originOf(null, GIT), gitTags: [] });
    expect(findings.map(({ code }) => code)).toContain("TAG_COLLISION");
    expect(tagFindings(catalog, products).map(({ code }) => code)).toContain("TAG_COLLISION");
  });
});
