/** The file of services that libpq knows: `[name]` sections with `parameter=value` lines. */

import { parameterNames, type Parameters } from "./url.ts";

/** The parameters of a service; undefined where the file has none of that name. What queuectl does not know is left out. */
export function findService(text: string, service: string): Parameters | undefined {
  let found: Parameters | undefined;
  for (const line of text.split(/\r?\n/).map((line) => line.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("[")) {
      if (found) return found;
      if (line === `[${service}]`) found = {};
      continue;
    }
    const place = line.indexOf("=");
    const name = line.slice(0, Math.max(0, place)).trim();
    if (found && (parameterNames as readonly string[]).includes(name)) {
      // The first of two lines counts.
      found = { [name]: line.slice(place + 1).trim(), ...found };
    }
  }
  return found;
}
