import { StringDecoder } from "node:string_decoder";
import { stripVTControlCharacters } from "node:util";

/** A longer line is given in pieces, so that output without a newline cannot fill the memory. */
const LONGEST_LINE = 16_384;

/** Control characters to remove, without tabs. */
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

/** A line as a person would finally see it: after its last carriage return, without escape sequences. */
export function visibleLine(line: string): string {
  const ended = line.replace(/\r+$/, "");
  const shown = ended.slice(ended.lastIndexOf("\r") + 1);
  return stripVTControlCharacters(shown).replace(CONTROL, "");
}

/** Makes whole lines from a byte stream that arrives in pieces. */
export interface LineAssembler {
  /** Takes a piece; gives the lines that it completes. */
  add: (bytes: Uint8Array) => string[];
  /** Called at the end of the stream; gives the last line if it had no newline. */
  end: () => string[];
}

/** The parts of a stream: what ends a line, what restarts it, and its text. */
const PART = /\n|\r+|[^\r\n]+/g;

/**
 * Decodes UTF-8 across pieces: how the stream is cut changes no line. Of a line that is overwritten with carriage returns
 * only the last state is kept.
 */
export function createLineAssembler(): LineAssembler {
  const decoder = new StringDecoder("utf8");
  let line = "";
  let returned = false;

  const take = (text: string): string[] => {
    const lines: string[] = [];
    for (const [part] of text.matchAll(PART)) {
      if (part === "\n") {
        lines.push(visibleLine(line));
        line = "";
        returned = false;
      } else if (part.startsWith("\r")) returned = true;
      else {
        line = returned ? part : line + part;
        returned = false;
        while (line.length > LONGEST_LINE) {
          const end = LONGEST_LINE - (isHighSurrogate(line.charCodeAt(LONGEST_LINE - 1)) ? 1 : 0);
          lines.push(visibleLine(line.slice(0, end)));
          line = line.slice(end);
        }
      }
    }
    return lines;
  };

  return {
    add: (bytes) => take(decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))),
    end: () => {
      const lines = take(decoder.end());
      const rest = visibleLine(line);
      line = "";
      return rest === "" ? lines : [...lines, rest];
    },
  };
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
