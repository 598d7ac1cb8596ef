import type { ComponentChildren } from "#jsx/jsx-runtime";
import { renderToString } from "#render-page";
import { Frame, rootFrom, type SiteAbout } from "./views/page-frame.tsx";

interface Framed {
  path: string;
  title: string;
  page?: string;
  above?: readonly (readonly [string, string])[];
}

/** A page as an HTML document. @param view makes its content, given the way from it to the root of the site */
export function framed(
  { about }: { about: SiteAbout },
  { path, ...props }: Framed,
  view: (root: string) => ComponentChildren,
): string {
  const page = (
    <Frame about={about} path={path} {...props}>
      {view(rootFrom(path))}
    </Frame>
  );
  return `<!doctype html>\n${renderToString(page)}\n`;
}
