/** A count with a comma between thousands, whatever the locale: `1,000`. Counts beyond 2^53 are cut to `1e+20`. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}
