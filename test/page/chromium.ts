import { spawnSync } from "node:child_process";
import axe from "axe-core";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect } from "vitest";

const PROGRAM = "chromium";

/** Whether there is a Chromium. With FACTORY_REQUIRE_ENGINE=1 a missing one fails the tests. */
const isThere = ((): boolean => {
  const there = spawnSync(PROGRAM, ["--version"], { stdio: "ignore" }).status === 0;
  if (!there && process.env.FACTORY_REQUIRE_ENGINE === "1")
    throw new Error("FACTORY_REQUIRE_ENGINE=1, and there is no chromium: run test/lab/up");
  return there;
})();

/** `describe` for tests of pages in a real browser; left out (and counted as such) where there is none. */
export const describePage = describe.skipIf(!isThere);

/** What a page asked for and said while it was open. */
export interface Watched {
  page: Page;
  /** Addresses of all requests. */
  requests: string[];
  /** Errors and warnings on the console, and those that nothing caught. */
  errors: string[];
}

/** A browser for the tests of a file, and pages in it that are watched. Call it inside `describePage`. */
export function useBrowser() {
  let browser: Browser;
  beforeAll(async () => {
    const executablePath = spawnSync("which", [PROGRAM], { encoding: "utf8" }).stdout.trim();
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  });
  afterAll(() => browser.close());
  return {
    open: async (address: string, options: BrowserContextOptions = {}): Promise<Watched> => {
      const context = await browser.newContext(options);
      const page = await context.newPage();
      const watched: Watched = { page, requests: [], errors: [] };
      page.on("request", (request) => watched.requests.push(request.url()));
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) watched.errors.push(message.text());
      });
      page.on("pageerror", (error) => watched.errors.push(String(error)));
      await page.goto(address, { waitUntil: "load" });
      return watched;
    },
  };
}

interface AxeFinding {
  id: string;
  impact: string | null;
  nodes: { html: string; failureSummary: string }[];
}

/** Holds a page to what people need who cannot see it, or use no mouse: no finding that is serious. */
export async function expectAccessible(page: Page): Promise<void> {
  // By the browser's own hand: the policy of the page lets no script in.
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    const { axe: tool } = globalThis as unknown as {
      axe: { run: (options: object) => Promise<{ violations: AxeFinding[] }> };
    };
    return (await tool.run({ preload: false })).violations;
  });
  const serious = violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join("\n")}`);
  expect(serious).toEqual([]);
}
