/** Something that has a size. */
export interface Sized {
  /** Above 0. */
  size: number;
}

/** Where a thing lies in a picture. */
export interface Tile<T> {
  of: T;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** How far the longest tile of a row is from a square, 1 for a square. @param areas not empty @param side of the row */
function worst(areas: readonly number[], side: number): number {
  const sum = areas.reduce((all, one) => all + one, 0);
  const [most, least] = [Math.max(...areas), Math.min(...areas)];
  return Math.max((side * side * most) / (sum * sum), (sum * sum) / (side * side * least));
}

/**
 * Lays things out in a rectangle, each with an area by its size, as near to squares as may be: squarified treemaps, by Bruls,
 * Huizing and van Wijk (2000). The largest is at the top left.
 * @param things those without a size are left out
 */
export function treemap<T extends Sized>(things: readonly T[], width: number, height: number): Tile<T>[] {
  const sorted = things.filter(({ size }) => size > 0).sort((a, b) => b.size - a.size);
  const total = sorted.reduce((sum, { size }) => sum + size, 0);
  const scale = (width * height) / total;
  const tiles: Tile<T>[] = [];
  let [x, y, wide, high] = [0, 0, width, height];
  for (let at = 0; at < sorted.length;) {
    const side = Math.min(wide, high);
    const row: number[] = [];
    for (let next = at; next < sorted.length; next += 1) {
      const area = (sorted[next]?.size ?? 0) * scale;
      if (row.length > 0 && worst([...row, area], side) > worst(row, side)) break;
      row.push(area);
    }
    const sum = row.reduce((all, one) => all + one, 0);
    const deep = side > 0 ? sum / side : 0;
    let along = 0;
    for (const area of row) {
      const long = deep > 0 ? area / deep : 0;
      const of = sorted[at] as T;
      if (wide >= high) tiles.push({ of, x, y: y + along, width: deep, height: long });
      else tiles.push({ of, x: x + along, y, width: long, height: deep });
      along += long;
      at += 1;
    }
    if (wide >= high) [x, wide] = [x + deep, Math.max(0, wide - deep)];
    else [y, high] = [y + deep, Math.max(0, high - deep)];
  }
  return tiles;
}
