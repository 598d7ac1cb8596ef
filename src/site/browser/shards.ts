/** Data that scripts brought, and who waits for it, by name. */
const waiting = new Map<string, { promise: Promise<unknown>; take: (value: unknown) => void }>();

/** What a data script calls. */
declare global {
  interface Window {
    factoryData: (name: string, value: unknown) => void;
  }
}

window.factoryData = (name, value) => waiting.get(name)?.take(value);

const root = (): string => document.body.dataset.root ?? "";

/** The way from this page to the root of the site. */
export { root };

/**
 * A part of the site's data; undefined if the site has no such part. A page that is opened from a file may not fetch anything: the part
 * is a script.
 * @param name such as `search/op`
 */
export function dataPart(name: string): Promise<unknown> {
  const known = waiting.get(name);
  if (known) return known.promise;
  let take: (value: unknown) => void = () => undefined;
  const promise = new Promise<unknown>((done) => {
    take = done;
  });
  waiting.set(name, { promise, take });
  const script = document.createElement("script");
  script.src = `${root()}data/${name}.js`;
  script.addEventListener("error", () => take(undefined));
  script.addEventListener("load", () => take(undefined));
  document.head.append(script);
  return promise;
}
