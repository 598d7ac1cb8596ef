import type { VNode } from "#jsx/jsx-runtime";
import { render } from "#render-into";

/** Shows a component in place of all that an element holds. It is made anew: what scripts did to the old one is forgotten. */
export function showFresh(page: VNode, place: Element): void {
  const box = document.createElement("div");
  render(page, box);
  place.replaceChildren(...box.childNodes);
}
