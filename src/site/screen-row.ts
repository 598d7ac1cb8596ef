/** A piece of a row that looks the same. */
export interface Piece {
  /** Classes between spaces; "" for plain text. */
  classes: string;
  text: string;
}

/** A row of a screen, by UTF-16 code units. What is appended is one operation, whatever its length. */
export interface Row {
  length: () => number;
  /** Writes over what is there, from a column on; a gap becomes spaces. */
  put: (column: number, text: string, classes: string) => void;
  /** Blanks from a column up to, but not, another; what is blanked at the end is cut. */
  erase: (from: number, to: number) => void;
  /** Takes columns out; the rest moves to the left. */
  remove: (from: number, count: number) => void;
  /** Makes room; the rest moves to the right. @param most columns of the row */
  insert: (at: number, count: number, most: number) => void;
  pieces: () => Piece[];
}

/** Pieces of cells that look the same. */
function joined(chars: readonly string[], looks: readonly string[]): Piece[] {
  const pieces: Piece[] = [];
  for (let from = 0; from < chars.length;) {
    const classes = looks[from] ?? "";
    let to = from + 1;
    while (to < chars.length && looks[to] === classes) to += 1;
    pieces.push({ classes, text: chars.slice(from, to).join("") });
    from = to;
  }
  return pieces;
}

export function createRow(): Row {
  let pieces: Piece[] = [];
  let length = 0;
  /** Cells, from the first time that something is written over. */
  let cells: { chars: string[]; looks: string[] } | null = null;

  const append = (text: string, classes: string): void => {
    if (text === "") return;
    length += text.length;
    const last = pieces.at(-1);
    if (last?.classes === classes) last.text += text;
    else pieces.push({ classes, text });
  };
  const asCells = () => {
    if (cells) return cells;
    cells = { chars: [], looks: [] };
    for (const { classes, text } of pieces)
      for (let at = 0; at < text.length; at += 1) {
        cells.chars.push(text.charAt(at));
        cells.looks.push(classes);
      }
    pieces = [];
    return cells;
  };

  return {
    length: () => (cells ? cells.chars.length : length),
    put: (column, text, classes) => {
      if (!cells && column >= length) {
        append(" ".repeat(column - length), "");
        append(text, classes);
        return;
      }
      const { chars, looks } = asCells();
      while (chars.length < column) {
        chars.push(" ");
        looks.push("");
      }
      for (let at = 0; at < text.length; at += 1) {
        chars[column + at] = text.charAt(at);
        looks[column + at] = classes;
      }
    },
    erase: (from, to) => {
      const { chars, looks } = asCells();
      if (to >= chars.length) {
        chars.length = Math.min(from, chars.length);
        looks.length = chars.length;
        return;
      }
      chars.fill(" ", from, to);
      looks.fill("", from, to);
    },
    remove: (from, count) => {
      const { chars, looks } = asCells();
      chars.splice(from, count);
      looks.splice(from, count);
    },
    insert: (at, count, most) => {
      const { chars, looks } = asCells();
      if (at >= chars.length) return;
      chars.splice(at, 0, ...Array<string>(count).fill(" "));
      looks.splice(at, 0, ...Array<string>(count).fill(""));
      chars.length = Math.min(chars.length, most);
      looks.length = chars.length;
    },
    pieces: () => (cells ? joined(cells.chars, cells.looks) : pieces),
  };
}
