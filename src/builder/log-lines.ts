import { StringDecoder } from "node:string_decoder";
import { stripVTControlCharacters } from "node:util";

/** A longer line is handed out in pieces, so that output without a newline cannot fill the memory. */
const LONGEST_LINE = 16_384;

/** Control characters are what is taken out; tabs stay. */
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

/** A line as a person would see it in the end: after its last carriage return, without escape sequences. */
export function visibleLine(line: string): string {
  const ended = line.replace(/\r+$/, "");
  const shown = ended.slice(ended.lastIndexOf("\r") + 1);
  return stripVTControlCharacters(shown).replace(CONTROL, "");
}

/** Makes whole lines of a byte stream that comes in pieces. */
export interface LineAssembler {
  /** Takes a piece; gives the lines that it completes. */
  add: (bytes: Uint8Array) => string[];
  /** The stream has ended; gives the line that had no newline, if any. */
  end: () => string[];
}

/** What a stream is made of: what ends a line, what begins it anew, and its text. */
const PART = /\n|\r+|[^\r\n]+/g;

/**
 * Decodes UTF-8 across pieces; where the stream is cut changes no line. A line that keeps being overwritten with
 * carriage returns holds its last state only.
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
