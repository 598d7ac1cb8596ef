import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { median } from "../../bench/measure.ts";
import { writeManyRecords } from "../../bench/many-records.ts";
import { cleanEnv, cli, factoryAtOnce, temporaryFolder, writeFiles } from "../unit/workspace.ts";
import { putRecord, type RecordMade, siteWorkspace } from "../unit/site-made.ts";
import { describePage, expectAccessible, useBrowser } from "./chromium.ts";

/** A site of some records, and the addresses of its pages as a browser opens them from a file. */
async function writtenSite(more: readonly RecordMade[] = []) {
  const made = await siteWorkspace(more);
  const { status, stderr } = await made.site("-o", "out");
  if (status !== 0) throw new Error(stderr);
  const { records } = made;
  const at = (path: string) => `${pathToFileURL(join(made.root, "out")).href}/${path}`;
  const sha = (record: number, kind: string) =>
    (records[record]?.evidence as Record<string, { sha256: string } | undefined>)[kind]?.sha256 ?? "";
  const id = (record: number) => records[record]?.record_id ?? "";
  const views = {
    home: "index.html",
    manifest: "manifest/demo/index.html",
    matrix: "manifest/demo/matrix.html",
    prefixes: "manifest/demo/prefixes.html",
    cell: `cell/${records[0]?.cell_id ?? ""}/1.html`,
    records: "records/1.html",
    failures: "failures/1.html",
    passed: `record/${id(4)}.html`,
    failed: `record/${id(3)}.html`,
    log: `log/${sha(3, "build_log")}.html`,
    packages: `sbom/${sha(4, "sbom")}.html`,
    compare: `compare.html?a=${id(0)}&b=${id(4)}`,
    search: "search.html?q=openssl",
    problems: "problems.html",
  };
  return { ...made, at, sha, id, views };
}

describePage("the site in a browser", () => {
  const { open } = useBrowser();

  it.each(["light", "dark"] as const)(
    "has views without errors, for everybody, in %s",
    async (colorScheme) => {
      const { at, views } = await writtenSite();
      for (const [name, path] of Object.entries(views)) {
        for (const viewport of [
          { width: 1280, height: 900 },
          { width: 390, height: 800 },
        ]) {
          const { page, errors, requests } = await open(at(path), { colorScheme, viewport });
          expect(await page.locator("h1").count(), name).toBe(1);
          await expectAccessible(page);
          expect(errors, name).toEqual([]);
          for (const address of requests) expect(address, name).toMatch(/^file:\/\//);
          const wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
          expect(wider, `${name} at ${viewport.width}`).toBeLessThanOrEqual(0);
          await page.context().close();
        }
      }
    },
  );

  it("can be read without its script", async () => {
    const { at, views } = await writtenSite();
    for (const [name, wanted] of [
      ["home", "demo_product"],
      ["matrix", "0.2.0"],
      ["failed", "it breaks here"],
      ["log", "it breaks here"],
      ["packages", "openssl"],
    ] as const) {
      const { page } = await open(at(views[name]), { javaScriptEnabled: false });
      expect(await page.locator("main").innerText(), name).toContain(wanted);
    }
  });

  it("lets in no script, style or request of anybody", async () => {
    const { at, views } = await writtenSite();
    let asked = 0;
    const server = createServer((_, response) => {
      asked += 1;
      response.end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const { page } = await open(at(views.failed));
    const ran = await page.evaluate(`(async () => {
      const script = document.createElement("script");
      script.textContent = "window.ran = true";
      document.body.append(script);
      const style = document.createElement("style");
      style.textContent = "h1 { color: rgb(1, 2, 3) }";
      document.head.append(style);
      const fetched = await fetch("http://127.0.0.1:${port}/").then(() => true, () => false);
      const image = document.createElement("img");
      const failed = new Promise((go) => { image.onerror = go; });
      image.src = "http://127.0.0.1:${port}/x.png";
      document.body.append(image);
      await failed;
      return [window.ran === true, fetched, getComputedStyle(document.querySelector("h1")).color === "rgb(1, 2, 3)"];
    })()`);
    expect(ran).toEqual([false, false, false]);
    expect(asked).toBe(0);
  });

  it("finds records, cells and packages", async () => {
    const { at, id, views } = await writtenSite();
    const { page } = await open(at(views.home));
    await page.keyboard.press("/");
    await page.keyboard.type("openssl");
    await page.keyboard.press("Enter");
    await page.locator("#results li", { hasText: "openssl 3.0.15-1" }).waitFor();
    expect(await page.locator("#search").inputValue()).toBe("openssl");
    for (const [query, wanted] of [
      ["demo_prod", "demo_product"],
      ["linux amd64 0.2.0", "demo.core-0.2.0"],
      [id(2).slice(0, 12), id(2)],
      ["flask", "flask 3.1.0"],
      ["<img", "<img src=x"],
    ] as const) {
      await page.locator("#search").fill(query);
      await page.locator("#results li", { hasText: wanted }).first().waitFor();
    }
    await page.locator("#search").fill("nothing-has-this");
    await page.getByText("Nothing was found").waitFor();
    expect(page.url()).toContain("q=nothing-has-this");
  });

  it("is gone through by keys alone", async () => {
    const { at, id, views } = await writtenSite();
    const { page } = await open(at(views.records));
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    await page.keyboard.press("Enter");
    await page.waitForURL(new RegExp(id(4)));
    await page.keyboard.press("u");
    await page.waitForURL(/cell\//);
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    await page.keyboard.press("h");
    await page.waitForURL(/index\.html$/);
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent.trim()")).toBe("Skip to the content");
  });

  it("shows what two records differ in", async () => {
    const { at, id } = await writtenSite();
    const { page, errors } = await open(at(`compare.html?a=${id(0)}&b=${id(2)}`));
    const row = page.locator("#compare tr", { hasText: "core" }).first();
    await row.waitFor();
    expect(await row.innerText()).toMatch(/0\.1\.0\s+0\.2\.0/);
    await page.goto(at(`compare.html?a=${id(0)}&b=${id(4)}`));
    await page.locator("#compare").getByText("package-1").waitFor();
    await page.goto(at("compare.html?a=%3Cimg%20src=x%3E&b=20260101t000000000z-0000000000000000"));
    await page.getByText("This site has no record").waitFor();
    expect(errors.filter((text) => !text.includes("ERR_FILE_NOT_FOUND"))).toEqual([]);
  });

  it("filters packages of all pages of an SBOM, and sorts them", async () => {
    const { at, sha } = await writtenSite([{ hour: 30, packages: 2500 }]);
    const { page } = await open(at(`sbom/${sha(5, "sbom")}.html`));
    expect(await page.locator("#packages tbody tr").count()).toBe(1000);
    await page.locator("#filter").fill("package-2499");
    await page.locator("#packages tbody tr", { hasText: "package-2499" }).waitFor();
    expect(await page.locator("#found").innerText()).toBe("1 of 2503");
    await page.locator("#filter").fill("core@");
    await page.getByText("openssl").waitFor();
    expect(page.url()).toContain("q=core");
    await page.locator("#filter").fill("");
    await page.getByRole("button", { name: "Package" }).click();
    expect(await page.locator("#packages tbody th").first().innerText()).toBe("<img src=x onerror=alert(1)>");
  });

  it("lays out a matrix by any axes, and keeps them in the address", async () => {
    const { at, views } = await writtenSite();
    const { page } = await open(at(views.matrix));
    await page.locator("select[name=rows]").selectOption("platform");
    await page.locator("select[name=cols]").selectOption("core");
    expect(await page.locator(".matrix tbody th").allInnerTexts()).toEqual(["linux/amd64", "linux/arm64"]);
    await page.reload();
    expect(await page.locator(".matrix tbody th").first().innerText()).toBe("linux/amd64");
    await page.locator(".heat a").first().click();
    await page.waitForURL(/cell\//);
  });

  it("shows a log as a terminal would, failures first, and each line has an address", async () => {
    const { at, views, sha } = await writtenSite();
    const { page } = await open(at(views.log));
    const steps = page.locator("details.step");
    expect(await steps.first().innerText()).toContain("it breaks here");
    expect(await steps.first().getAttribute("open")).not.toBeNull();
    expect(await steps.nth(1).getAttribute("open")).toBeNull();
    await page.goto(at(`log/${sha(3, "build_log")}.html#L4`));
    await page.reload();
    const line = page.locator("#L4");
    expect(await line.isVisible()).toBe(true);
    expect((await line.innerText()).trim()).toBe("done");
    const red = page.locator("#L2 span").first();
    expect(await red.innerText()).toBe("red");
    expect(await page.locator("#L2").innerText()).toContain("<script>alert(1)</script> \\u202egnp.exe");
    const raw = page.locator("a", { hasText: "raw file" });
    await raw.click();
    expect(await page.locator("body").innerText()).toContain("it breaks here");
  });

  it("opens a log of 50,000 lines in less than a second", async () => {
    const line = (at: number) =>
      `#1 ${(at / 1000).toFixed(3)} \u001b[32mline\u001b[0m ${at} of what a step says`;
    const lines = Array.from({ length: 50_000 }, (_, at) => line(at)).join("\n");
    const { at, sha } = await writtenSite([
      { hour: 31, log: `#1 [x] RUN y\n${lines}\n#1 ERROR: exit code: 1\n` },
    ]);
    const { page } = await open(at("index.html"));
    const began = performance.now();
    await page.goto(at(`log/${sha(5, "build_log")}.html`));
    await page.locator("#L2").waitFor();
    const took = performance.now() - began;
    expect(await page.locator(".log i").count()).toBeGreaterThan(50_000);
    expect(took).toBeLessThan(1000);
  });
});

describePage("a site of very many records", () => {
  const { open } = useBrowser();

  it("opens in less than twice the time of a site of a hundred", async () => {
    const made = async (count: number) => {
      const root = temporaryFolder();
      writeManyRecords(root, count, { bare: true });
      writeFiles(root, { "factory.yaml": "schema_version: 1\nrepository: x/y\n" });
      const { status, stderr } = await factoryAtOnce(root, ["site", "--records-only", "-o", "out"]);
      if (status !== 0) throw new Error(stderr);
      return pathToFileURL(join(root, "out")).href;
    };
    const [few, many] = [await made(100), await made(10_000)];
    const { page } = await open(`${few}/index.html`);
    const pages = [
      "index.html",
      "records/1.html",
      "failures/1.html",
      "manifest/many/index.html",
      "search.html?q=cell",
    ];
    const timeOf = async (site: string): Promise<number> => {
      const began = performance.now();
      for (const path of pages) {
        await page.goto(`${site}/${path}`);
        await page
          .locator(path.startsWith("search") ? "#results li" : "tbody tr")
          .first()
          .waitFor();
      }
      return performance.now() - began;
    };
    await timeOf(few);
    await timeOf(many);
    const ratios: number[] = [];
    for (let run = 0; run < 7; run += 1) {
      const time = await timeOf(few);
      ratios.push((await timeOf(many)) / time);
    }
    console.log(`10,000 records against 100: ${median(ratios).toFixed(2)}`);
    expect(median(ratios)).toBeLessThan(2);
  });
});

describePage("the served site", () => {
  const { open } = useBrowser();

  /** Starts the built program, and gives its address. */
  async function serve(root: string) {
    const child = spawn(process.execPath, [cli, "site", "--serve", "--port", "0", "--records-only"], {
      cwd: root,
      env: cleanEnv(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    const ended = once(child, "exit");
    onTestFinished(async () => {
      if (child.exitCode === null) child.kill("SIGKILL");
      await ended;
    });
    for await (const line of createInterface({ input: child.stderr })) {
      const [address] = /http:\/\/127\.0\.0\.1:\d+\//.exec(line) ?? [];
      if (address !== undefined) return { address, child, ended };
    }
    throw new Error("it did not say where it serves");
  }

  it("reloads as records are added, and ends when it is told to", async () => {
    const { root, store } = await siteWorkspace();
    const { address, child, ended } = await serve(root);
    const { page, errors, requests } = await open(address);
    await page.getByText("Made from 5 records").waitFor();
    await putRecord(store, { hour: 48 });
    await page.getByText("Made from 6 records").waitFor();
    await page.locator("main a").first().click();
    expect(errors).toEqual([]);
    for (const one of requests) expect(one.startsWith(address)).toBe(true);
    child.kill("SIGTERM");
    const [status] = (await ended) as [number | null];
    expect(status).toBe(0);
  });

  it("serves what a written site has, and answers only to its own name", async () => {
    const { root, site, records } = await siteWorkspace();
    await site("-o", "out");
    const { address } = await serve(root);
    const sha = (records[4]?.evidence as Record<string, { sha256: string }>).sbom?.sha256 ?? "";
    for (const path of [
      `record/${records[0]?.record_id ?? ""}.html`,
      `data/sbom/${sha}-1.js`,
      `evidence/${sha}.json`,
      "data/search/op.js",
      "manifest/demo/matrix.html",
      "site.css",
    ]) {
      const answer = await fetch(address + path);
      expect([path, answer.status]).toEqual([path, 200]);
      const live = (await answer.text()).replace("; connect-src 'self'", "").replace(' data-live="yes"', "");
      expect(live, path).toBe(readFileSync(join(root, "out", path), "utf8"));
    }
    for (const path of [
      "../factory.yaml",
      "..%2ffactory.yaml",
      "%00",
      "record/x.html",
      "log/x.html",
      "records/0.html",
    ])
      expect((await fetch(address + path)).status, path).toBe(404);
    expect((await fetch(address, { method: "POST" })).status).toBe(405);
    const foreign = request(address, { headers: { host: "evil.example" } }).end();
    const [answer] = (await once(foreign, "response")) as [{ statusCode: number; resume: () => void }];
    answer.resume();
    expect(answer.statusCode).toBe(421);
  });
});
