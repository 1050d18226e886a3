/** The code page in which a new console begins. */

import { kernel32 } from "./libraries.ts";

/** Its number, like 437 or 932; 65001 is UTF-8. */
export const consoleCodePage = (): number => kernel32().GetOEMCP();
