/** The code pages of Windows' consoles. Their tables are large: this is loaded only where something is in one of them. */

import iconv from "iconv-lite";
import { type CodePage, utf8Decoder } from "./output_text.ts";

/** A code page by its number, like 437 or 932; of one that is not known nothing but UTF-8 is. */
export function codePageOf(number: number): CodePage {
  const name = `cp${number}`;
  if (!iconv.encodingExists(name)) return utf8Decoder.decode;
  return (bytes) => iconv.decode(bytes, name, { stripBOM: false });
}
