import type { DayHealth } from "../daily-health.ts";

const KINDS = ["pass", "expected", "fail", "error"] as const;
const BAR = 9;
const GAP = 3;

/** A day in words. */
function dayText({ day, ...counts }: DayHealth): string {
  const told = KINDS.flatMap((kind) =>
    counts[kind] > 0 ? [`${counts[kind]} ${kind === "expected" ? "expected fail" : kind}`] : [],
  );
  return `${day}: ${told.join(", ")}`;
}

/** Attempts by day, one bar a day: verdicts from the bottom, as shares of the fullest day. */
export function HealthChart({
  days,
  label,
  height = 56,
}: {
  days: readonly DayHealth[];
  label: string;
  height?: number;
}) {
  if (days.length === 0) return <p class="none">Nothing was tried yet.</p>;
  const most = Math.max(...days.map(({ pass, expected, fail, error }) => pass + expected + fail + error));
  const width = days.length * (BAR + GAP) - GAP;
  const first = days[0]?.day ?? "";
  const last = days.at(-1)?.day ?? "";
  return (
    <figure class="health">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        width={width}
        height={height}
        role="img"
        aria-label={`${label}, ${days.length} days with attempts from ${first} to ${last}. ${days.slice(-7).map(dayText).join("; ")}`}
      >
        {days.map((day, at) => {
          let y = height;
          return (
            <g>
              <title>{dayText(day)}</title>
              {KINDS.map((kind) => {
                const tall = (day[kind] / most) * height;
                y -= tall;
                return (
                  tall > 0 && (
                    <rect
                      class={`bar ${kind}`}
                      x={at * (BAR + GAP)}
                      y={y.toFixed(2)}
                      width={BAR}
                      height={Math.max(tall - 0.5, 0.5).toFixed(2)}
                      rx="1.5"
                    />
                  )
                );
              })}
            </g>
          );
        })}
      </svg>
      <figcaption>{first === last ? first : `${first} – ${last}`}</figcaption>
    </figure>
  );
}

/** How long attempts took by day, in the middle, as a line. */
export function TrendLine({ days, text }: { days: readonly DayHealth[]; text: (ms: number) => string }) {
  if (days.length < 2) return null;
  const [width, height] = [days.length * (BAR + GAP), 40];
  const most = Math.max(1, ...days.map(({ median }) => median));
  const points = days
    .map(
      ({ median }, at) =>
        `${at * (BAR + GAP) + BAR / 2},${(height - 2 - (median / most) * (height - 4)).toFixed(1)}`,
    )
    .join(" ");
  return (
    <figure class="health">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        width={width}
        height={height}
        role="img"
        aria-label={`Median time of an attempt by day: at most ${text(most)}, last ${text(days.at(-1)?.median ?? 0)}`}
      >
        <polyline class="trend" points={points} />
      </svg>
      <figcaption>median time, up to {text(most)}</figcaption>
    </figure>
  );
}
