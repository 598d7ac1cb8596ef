import { sizeText } from "../../model/bytes.ts";
import { visible } from "../../model/visible.ts";
import type { LayerSize } from "../layer-sizes.ts";
import { treemap } from "../treemap.ts";

const WIDTH = 720;
const HEIGHT = 300;
/** How many colours there are for owners. */
const HUES = 8;

interface Share {
  owner: string;
  size: number;
  text: string;
}

/** The colour of an owner: a fragment has the same one in each picture of a record. What is no fragment comes first. */
function hueOf(owner: string, fragments: readonly string[]): number {
  const at = fragments.indexOf(owner);
  return at < 0 ? 0 : 1 + (at % (HUES - 1));
}

/** Shares as tiles of a picture, with the same as a table below it. */
function Tiles({
  shares,
  fragments,
  label,
  unit,
}: {
  shares: readonly Share[];
  fragments: readonly string[];
  label: string;
  unit: string;
}) {
  const owners = [...new Set(shares.map(({ owner }) => owner))];
  const total = owners.map((owner) => {
    const own = shares.filter((one) => one.owner === owner);
    return { owner, size: own.reduce((sum, { size }) => sum + size, 0), count: own.length };
  });
  const all = total.reduce((sum, { size }) => sum + size, 0) || 1;
  const words = total.map(({ owner, size }) => `${owner} ${Math.round((size / all) * 100)} %`).join(", ");
  return (
    <figure class="tiles">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${label}: ${words}`}>
        {treemap(shares, WIDTH, HEIGHT).map(({ of, x, y, width, height }) => (
          <g>
            <title>{`${visible(of.owner)}: ${of.text}`}</title>
            <rect
              class={`tile hue${hueOf(of.owner, fragments)}`}
              x={(x + 1).toFixed(1)}
              y={(y + 1).toFixed(1)}
              width={Math.max(0, width - 2).toFixed(1)}
              height={Math.max(0, height - 2).toFixed(1)}
              rx="4"
            />
            {width > 90 && height > 34 && (
              <>
                <text x={(x + 10).toFixed(1)} y={(y + 20).toFixed(1)}>
                  {visible(of.owner).slice(0, Math.floor(width / 8))}
                </text>
                {height > 52 && (
                  <text class="small" x={(x + 10).toFixed(1)} y={(y + 38).toFixed(1)}>
                    {of.text}
                  </text>
                )}
              </>
            )}
          </g>
        ))}
      </svg>
      <table class="list small">
        <caption class="unseen">{label}</caption>
        <thead>
          <tr>
            <th scope="col">Fragment</th>
            <th scope="col" class="number">
              {unit}
            </th>
            <th scope="col" class="number">
              Share
            </th>
          </tr>
        </thead>
        <tbody>
          {total.map(({ owner, size }) => (
            <tr>
              <td>{visible(owner)}</td>
              <td class="number">{unit === "Packed" ? sizeText(size) : size}</td>
              <td class="number">{((size / all) * 100).toFixed(1)} %</td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}

/** What each fragment takes of an image as it is pulled: a tile a layer. */
export function SizeMap({
  layers,
  fragments,
}: {
  layers: readonly LayerSize[];
  /** As `core@0.1.0`, in the order of the Dockerfile. */
  fragments: readonly string[];
}) {
  const shares = layers.map(({ layer, owner, bytes }) => ({
    owner: owner ?? "not known",
    size: bytes,
    text: `${sizeText(bytes)}, layer ${layer}`,
  }));
  return <Tiles shares={shares} fragments={fragments} label="Packed bytes by fragment" unit="Packed" />;
}

/** How many packages each fragment brought: a tile a fragment. */
export function PackageMap({
  packages,
  fragments,
}: {
  packages: readonly { owner: string; count: number }[];
  /** The same. */
  fragments: readonly string[];
}) {
  const shares = packages.map(({ owner, count }) => ({
    owner: owner || "not known",
    size: count,
    text: `${count} package${count === 1 ? "" : "s"}`,
  }));
  return <Tiles shares={shares} fragments={fragments} label="Packages by fragment" unit="Packages" />;
}
