import { root } from "./shards.ts";

/** The links that `j` and `k` go through: the first of each row. */
function rows(): HTMLElement[] {
  return [...document.querySelectorAll("[data-list] tbody tr, ul[data-list] > li, .matrix tbody tr")].flatMap(
    (row) => row.querySelector<HTMLElement>("a") ?? [],
  );
}

function step(by: 1 | -1): void {
  const all = rows();
  const at = all.findIndex(
    (one) => one === document.activeElement || one.closest("tr, li")?.contains(document.activeElement),
  );
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

const follow = (selector: string) => document.querySelector<HTMLAnchorElement>(selector)?.click();

/** What each key does. */
const KEYS: Readonly<Record<string, readonly [what: string, act: () => void]>> = {
  "/": ["search", () => document.querySelector<HTMLElement>("#filter, #search")?.focus()],
  j: ["next row", () => step(1)],
  k: ["row before", () => step(-1)],
  n: ["older page", () => follow("a[rel=next]")],
  p: ["newer page", () => follow("a[rel=prev]")],
  u: ["up", () => follow(".above a:last-child")],
  h: ["home", () => location.assign(`${root()}index.html`)],
  "?": ["this help", () => toggleHelp()],
};

function toggleHelp(): void {
  const known = document.querySelector<HTMLDialogElement>("#keys");
  if (known) return known.open ? known.close() : known.showModal();
  const dialog = document.createElement("dialog");
  dialog.id = "keys";
  dialog.setAttribute("aria-label", "Keys");
  const list = document.createElement("dl");
  for (const [key, [what]] of Object.entries(KEYS)) {
    const [term, value] = [document.createElement("dt"), document.createElement("dd")];
    const sign = document.createElement("kbd");
    sign.textContent = key;
    term.append(sign);
    value.textContent = what;
    list.append(term, value);
  }
  const close = document.createElement("button");
  close.textContent = "Close";
  close.addEventListener("click", () => dialog.close());
  dialog.append(list, close);
  document.body.append(dialog);
  dialog.showModal();
}

const isField = (target: EventTarget | null) =>
  target instanceof HTMLElement && target.closest("input, select, textarea, dialog") !== null;

/** Lets people go through the site by keys alone. */
export function startKeyboard(): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (isField(event.target)) {
      if (event.key === "Escape" && event.target instanceof HTMLInputElement) event.target.blur();
      return;
    }
    const known = Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : undefined;
    if (!known) return;
    event.preventDefault();
    known[1]();
  });
}
