/** A layer as a pull meets it. */
export interface PulledLayer {
  mediaType: string;
  /** bytes */
  packed: number;
  unpacked: number;
}

/** What a pull is reckoned with. */
export interface PullModel {
  /** Bits in a second. */
  bandwidth: number;
  /** How many layers come at once. */
  parallel: number;
}

/** Bytes that are unpacked in a second, by one core: gzip 1.12 and zstd 1.5 with Debian's own files. */
export const UNPACK_RATES = { gzip: 140e6, zstd: 700e6, none: 2e9 } as const;

function rateOf(mediaType: string): number {
  if (mediaType.endsWith("zstd")) return UNPACK_RATES.zstd;
  return /gzip$/.test(mediaType) ? UNPACK_RATES.gzip : UNPACK_RATES.none;
}

/** When each layer has arrived, in seconds: they start in order, some at once, and share the line evenly. */
function arrivals(layers: readonly PulledLayer[], { bandwidth, parallel }: PullModel): number[] {
  const left = layers.map(({ packed }) => packed);
  const arrived = layers.map(() => 0);
  let now = 0;
  let next = 0;
  let open: number[] = [];
  while (next < layers.length || open.length > 0) {
    while (open.length < parallel && next < layers.length) open.push(next++);
    const each = bandwidth / 8 / open.length;
    const step = Math.min(...open.map((at) => left[at] ?? 0)) / each;
    now += step;
    for (const at of open) left[at] = (left[at] ?? 0) - step * each;
    // Less than a byte is a remainder of the reckoning.
    for (const at of open) if ((left[at] ?? 0) < 1) arrived[at] = now;
    open = open.filter((at) => (left[at] ?? 0) >= 1);
  }
  return arrived;
}

/**
 * How long a pull into an empty store takes, in seconds, by a model: layers start to come in order, `parallel` at once, and share
 * the bandwidth evenly; each is unpacked when it and those below it are there, one at a time, at `UNPACK_RATES`. Round trips,
 * the disk and what the registry needs are not in it.
 */
export function pullSeconds(layers: readonly PulledLayer[], model: PullModel): number {
  const arrived = arrivals(layers, model);
  return layers.reduce(
    (done, { mediaType, unpacked }, at) => Math.max(done, arrived[at] ?? 0) + unpacked / rateOf(mediaType),
    0,
  );
}
