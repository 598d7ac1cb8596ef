import type { ComponentChildren } from "#jsx/jsx-runtime";
import { sitePaths } from "../site-paths.ts";

/** What all pages of a site share. */
export interface SiteAbout {
  name: string;
  records: number;
  problems: number;
  /** Of the newest record; null without one. */
  newest: string | null;
  /** Whether it is served, and reloads itself. */
  live: boolean;
}

/** What a page may load: its own files, and nothing of anybody else. */
export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'";

interface FrameProps {
  about: SiteAbout;
  /** From the root, such as `record/ID.html`. */
  path: string;
  title: string;
  /** The pages above this one, from the home page on. */
  above?: readonly (readonly [name: string, path: string])[];
  /** What the page's script is to do. */
  page?: string;
  children: ComponentChildren;
}

/** The way from a page to the root: `../`, or nothing. */
export const rootFrom = (path: string): string => "../".repeat(path.split("/").length - 1);

/** A whole document around a page. */
export function Frame({ about, path, title, above = [], page, children }: FrameProps) {
  const root = rootFrom(path);
  const nav = [
    ["Home", sitePaths.home],
    ["Records", sitePaths.records()],
    ["Failures", sitePaths.failures()],
    ["Compare", sitePaths.compare],
    ...(about.problems > 0 ? [[`Problems (${about.problems})`, sitePaths.problems] as const] : []),
  ] as const;
  const policy = about.live ? `${POLICY}; connect-src 'self'` : POLICY;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content={policy} />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} · ${about.name}`}</title>
        <link rel="icon" href={`${root}icon.svg`} />
        <link rel="stylesheet" href={`${root}site.css`} />
        <script defer src={`${root}site.js`}></script>
      </head>
      <body data-root={root} data-page={page} data-live={about.live ? "yes" : undefined}>
        <a class="skip" href="#main">
          Skip to the content
        </a>
        <header class="top">
          <a class="brand" href={root + sitePaths.home}>
            {about.name}
          </a>
          <nav aria-label="Site">
            {nav.map(([name, to]) => (
              <a href={root + to} aria-current={to === path ? "page" : undefined}>
                {name}
              </a>
            ))}
          </nav>
          <form role="search" action={root + sitePaths.search} method="get">
            <label class="unseen" for="search">
              Search the site
            </label>
            <input id="search" name="q" type="search" placeholder="Search" autocomplete="off" />
          </form>
        </header>
        <main id="main" tabindex={-1}>
          {above.length > 0 && (
            <nav class="above" aria-label="Above">
              {above.map(([name, to]) => (
                <a href={root + to}>{name}</a>
              ))}
            </nav>
          )}
          {children}
        </main>
        <footer>
          {about.newest === null
            ? "There are no records yet."
            : `Made from ${about.records} record${about.records === 1 ? "" : "s"}, the newest of ${about.newest}.`}
        </footer>
      </body>
    </html>
  );
}
