/** How what commands of this host have printed becomes text. */

import { type CodePage, lineDecoder, type OutputDecoder, utf8Decoder } from "./output_text.ts";

/** The decoder of a host. Its code page is loaded when there is something that is not UTF-8. */
export interface HostText {
  /** For what it was prepared for. */
  readonly decoder: OutputDecoder;
  /** Prepares it for these bytes, which may begin and end within a character. */
  prepare(bytes: Uint8Array): Promise<void>;
  /** What `read` makes with the decoder; where the code page turns out to be needed it is called a second time. */
  read<T>(read: (decoder: OutputDecoder) => T): Promise<T>;
}

/** A host on which all is UTF-8. */
const plain: HostText = {
  decoder: utf8Decoder,
  prepare: () => Promise.resolve(),
  read: (read) => Promise.resolve().then(() => read(utf8Decoder)),
};

/** A host whose console has a code page. */
export function createCodePageText(load: () => Promise<CodePage>): HostText {
  let codePage: CodePage | undefined;
  let isNeeded = false;
  const decoder = lineDecoder((bytes) => {
    isNeeded = true;
    return codePage?.(bytes) ?? "";
  });
  async function read<T>(read: (decoder: OutputDecoder) => T): Promise<T> {
    isNeeded = false;
    const result = read(decoder);
    if (!isNeeded || codePage) return result;
    codePage = await load();
    return read(decoder);
  }
  return {
    decoder,
    read,
    prepare: async (bytes) => void (codePage || await read(({ decode }) => decode(bytes))),
  };
}

async function loadCodePage(): Promise<CodePage> {
  try {
    const { consoleCodePage } = await import("../host/windows/code_page.ts");
    const { codePageOf } = await import("./code_pages.ts");
    return codePageOf(consoleCodePage());
  } catch {
    // From source its package may have to be downloaded, and cannot be: no result of a job waits for that.
    return utf8Decoder.decode;
  }
}

/** That of this host. */
export const hostText: HostText = Deno.build.os === "windows" ? createCodePageText(loadCodePage) : plain;
