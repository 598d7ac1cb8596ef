/** How text looks on a terminal. Colours are places in the palette of 256; -1 is the default. */
interface Look {
  fore: number;
  back: number;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  strike: boolean;
  inverse: boolean;
}

const PLAIN: Readonly<Look> = {
  fore: -1,
  back: -1,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  strike: false,
  inverse: false,
};

/** Keeps how text looks, as sequences of select-graphic-rendition change it. */
export interface TextStyle {
  /** The classes of text that is written now, between spaces; "" for plain text. */
  classes: () => string;
  /** @param parameters between `ESC [` and `m` */
  select: (parameters: string) => void;
  /** Gives a function that brings the present look back. */
  save: () => () => void;
}

/** The place in the palette that is nearest to a colour: in its 6×6×6 cube or its greys. @param rgb 0 to 255 each */
function nearest(red: number, green: number, blue: number): number {
  const level = (value: number) =>
    value < 48 ? 0 : value < 115 ? 1 : Math.min(5, Math.floor((value - 35) / 40));
  const shade = (at: number) => (at === 0 ? 0 : 55 + at * 40);
  const [r, g, b] = [level(red), level(green), level(blue)];
  const grey = Math.max(0, Math.min(23, Math.round(((red + green + blue) / 3 - 8) / 10)));
  const far = (x: number, y: number, z: number) => (x - red) ** 2 + (y - green) ** 2 + (z - blue) ** 2;
  const own = 8 + grey * 10;
  return far(own, own, own) < far(shade(r), shade(g), shade(b)) ? 232 + grey : 16 + 36 * r + 6 * g + b;
}

const byte = (value: number | undefined): number => Math.max(0, Math.min(255, value ?? 0));

/** A colour after 38 or 48, and how many parameters it takes. */
function extended(codes: readonly number[]): { color: number | null; taken: number } {
  if (codes[0] === 5) return { color: byte(codes[1]), taken: 2 };
  if (codes[0] === 2) return { color: nearest(byte(codes[1]), byte(codes[2]), byte(codes[3])), taken: 4 };
  return { color: null, taken: codes.length };
}

/** What each number sets, but for colours. */
const SETS: Readonly<Record<number, Partial<Look>>> = {
  0: PLAIN,
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  9: { strike: true },
  21: { underline: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
  29: { strike: false },
  39: { fore: -1 },
  49: { back: -1 },
};

function within(code: number, first: number): boolean {
  return code >= first && code < first + 8;
}

function changed(look: Look, code: number): Look {
  const set = SETS[code];
  if (set) return { ...look, ...set };
  if (within(code, 30)) return { ...look, fore: code - 30 };
  if (within(code, 40)) return { ...look, back: code - 40 };
  if (within(code, 90)) return { ...look, fore: code - 82 };
  if (within(code, 100)) return { ...look, back: code - 92 };
  // Hidden and blinking text is shown as any other: nothing in a log hides.
  return look;
}

function classesOf(look: Look): string {
  const { bold, dim, italic, underline, strike, inverse } = look;
  // Text in the colour of its background would be hidden too.
  const fore = look.fore === look.back ? -1 : look.fore;
  const named = { tb: bold, td: dim, ti: italic, tu: underline, ts: strike, tv: inverse };
  return [
    ...Object.entries(named).flatMap(([name, on]) => (on ? [name] : [])),
    ...(fore < 0 ? [] : [`f${fore}`]),
    ...(look.back < 0 ? [] : [`k${look.back}`]),
  ].join(" ");
}

/** More parameters than any program has reason to send. */
const MOST_CODES = 32;

export function createTextStyle(): TextStyle {
  let look: Look = PLAIN;
  let classes = "";
  return {
    classes: () => classes,
    select: (parameters) => {
      // Sub-parameters after a colon (38:2::r:g:b) are read as parameters; an empty colour space is left out.
      const codes = parameters
        .replace(/([34]8:2:):/g, "$1")
        .split(/[;:]/, MOST_CODES)
        .map((one) => (/^\d{1,5}$/.test(one) ? Number(one) : 0));
      for (let at = 0; at < codes.length; at += 1) {
        const code = codes[at] ?? 0;
        if (code !== 38 && code !== 48) {
          look = changed(look, code);
          continue;
        }
        const { color, taken } = extended(codes.slice(at + 1));
        if (color !== null) look = { ...look, [code === 38 ? "fore" : "back"]: color };
        at += taken;
      }
      classes = classesOf(look);
    },
    save: () => {
      const [kept, keptClasses] = [look, classes];
      return () => {
        [look, classes] = [kept, keptClasses];
      };
    },
  };
}
