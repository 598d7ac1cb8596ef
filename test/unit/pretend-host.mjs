// For `node --import`: hosts of PRETEND_HOSTS, such as {"https://ghcr.io": "http://127.0.0.1:4711"}, are others.
const hosts = JSON.parse(process.env.PRETEND_HOSTS ?? "{}");
const { fetch } = globalThis;

globalThis.fetch = (url, init) => {
  const { origin, pathname, search } = new URL(url);
  return fetch(`${hosts[origin] ?? origin}${pathname}${search}`, init);
};
