/** What is given as a database and is neither the path of a file nor a URL: which form is meant. Pure. */

import { QueuectlError } from "../base/errors.ts";

/** The parameters by which libpq's connection strings are known; see its documentation, 32.1.1. */
const keywords =
  /^\s*(?:host|hostaddr|port|dbname|user|password|passfile|service|sslmode|application_name)\s*=/i;

/**
 * Throws `usage` for what would become the name of a file although it is none: a connection string of keywords, a URL of
 * another program, one in quotes. Nothing of it is repeated that may be a password.
 */
export function refuseOtherForms(text: string): void {
  const isUrl = /^[a-z][a-z0-9+.-]+:\/\//i.test(text);
  if (keywords.test(text)) {
    throw refused(`a connection string of keywords is not one; write it as "${urlOf(text)}"`);
  }
  const [, scheme, rest] = /^\s*["']?([a-z][\w+.-]+):(?!\/\/[^/])(.*)$/is.exec(text) ?? [];
  if (scheme !== undefined && /^(sqlite3?|file)$/i.test(scheme)) {
    const path = rest.replace(/^\/\/(?=\/)/, "").replace(/[?#].*$/s, "");
    throw refused(
      `a file is given by its path: "${path || "queuectl.db"}" (or "./${scheme}:…" if that is its name)`,
    );
  }
  if (
    scheme !== undefined && /^(postgres|postgresql|jdbc)$/i.test(scheme) || text.includes("://") && !isUrl
  ) {
    throw refused(`a URL begins with postgres://, without quotes: ${form}`);
  }
}

const form = "postgres://USER@HOST:PORT/DATABASE?schema=NAME";

const refused = (what: string) => new QueuectlError("usage", `The database is not understood: ${what}`);

/** The URL that says the same as a connection string, without its password. */
function urlOf(text: string): string {
  const pairs = text.matchAll(/(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s\\]|\\.)*))/gs);
  const values = new Map([...pairs].map(([, name, quoted, plain]) => [
    name.toLowerCase(),
    encodeURIComponent((quoted ?? plain).replaceAll(/\\(.)/gs, "$1")),
  ]));
  const take = (name: string) => {
    const value = values.get(name) ?? "";
    values.delete(name);
    return value;
  };
  take("password");
  const [user, host, port, database] = ["user", "host", "port", "dbname"].map(take);
  // What is not well-formed may have a password in it by another name.
  const others = [...values].filter(([name]) => /^(sslmode|service|passfile|application_name)$/.test(name));
  const isSocket = host.startsWith("%2F");
  if (isSocket) others.unshift(["host", host]);
  const query = others.map(([name, value]) => `${name}=${value}`).join("&");
  return `postgres://${user && `${user}@`}${isSocket ? "" : host}${port && `:${port}`}/${database}${
    query && `?${query}`
  }`;
}
