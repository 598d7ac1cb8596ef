import type { VNode } from "#jsx/jsx-runtime";
import { renderToString } from "#render-page";

/** A page as an HTML document. */
export function document(page: VNode): string {
  return `<!doctype html>\n${renderToString(page)}\n`;
}
