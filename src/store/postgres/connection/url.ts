/** A PostgreSQL URL taken apart as libpq does it: text in, parameters out. A mistake is told without the text itself. */

import { QueuectlError } from "../../../base/errors.ts";
import { didYouMean } from "../../../base/nearest.ts";
import { otherNames } from "./other_parameters.ts";

/** What a URL, a service file or the environment can say; the names are libpq's, and `schema` and `prepare` ours. */
export const parameterNames = [
  "host",
  "hostaddr",
  "port",
  "user",
  "password",
  "dbname",
  "sslmode",
  "sslrootcert",
  "passfile",
  "service",
  "servicefile",
  "options",
  "application_name",
  "fallback_application_name",
  "connect_timeout",
  "keepalives",
  "target_session_attrs",
  "load_balance_hosts",
  "require_auth",
  "channel_binding",
  "requirepeer",
  "schema",
  "prepare",
  ...otherNames,
] as const;

export type ParameterName = typeof parameterNames[number];

export type Parameters = Partial<Record<ParameterName, string>>;

const form = "postgres://USER@HOST:PORT/DATABASE?schema=NAME";

/**
 * The parameters of `postgres://[user[:password]@][host[:port][,…]][/database][?name=value…]`. Throws `usage`, without
 * quoting what may be part of a password.
 */
export function parseConnectionUrl(url: string): Parameters {
  const match = /^postgres(?:ql)?:\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i.exec(url);
  if (!match) throw mistake(`it has to look like ${form}`);
  const [, authority, database = "", query = ""] = match;
  const at = authority.lastIndexOf("@");
  const [user, ...password] = authority.slice(0, Math.max(0, at)).split(":");
  // libpq ends the user at the first @ or /, and takes the rest of such a password for the host or the database.
  if (password.join(":").includes("@") || database.includes("@")) {
    throw mistake("write the characters @ : / ? # % of a password as %40 %3A %2F %3F %23 %25");
  }
  const { hosts, ports } = splitHosts(authority.slice(at + 1));
  const parameters: Parameters = {
    ...given("user", decode(user)),
    ...given("password", decode(password.join(":"))),
    ...given("host", hosts.join(",")),
    ...given("port", ports.join(",").replaceAll(/^,+$/g, "")),
    ...given("dbname", decode(database)),
  };
  for (const pair of query.split("&").filter((pair) => pair !== "")) {
    const [name, ...rest] = pair.split("=");
    // As JDBC has it, and libpq too.
    const isOfJdbc = decode(name) === "ssl" && rest.join("=") === "true";
    const given = isOfJdbc
      ? { sslmode: "require" }
      : { [checkedName(decode(name), query)]: decode(rest.join("=")) };
    Object.assign(parameters, given);
  }
  return parameters;
}

/** The URL without its password, as it may be shown: also where the name of that is written in another way. */
export function withoutPassword(url: string): string {
  const [address, query] = split(url, "?");
  const shown = address.replace(/^([^/]*\/\/[^/:@]*):.*@/, "$1@");
  const kept = query?.split("&").filter((pair) => !isSecret(pair.split("=")[0]));
  return kept === undefined || kept.length === 0 ? shown : `${shown}?${kept.join("&")}`;
}

/** Whether a parameter of this name, as it is written, may be a password; what cannot be decoded may be one. */
function isSecret(name: string): boolean {
  try {
    return /password|secret|scram_/i.test(decodeURIComponent(name));
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return true;
  }
}

function split(text: string, separator: string): [string, string | undefined] {
  const place = text.indexOf(separator);
  return place < 0 ? [text, undefined] : [text.slice(0, place), text.slice(place + 1)];
}

function splitHosts(list: string): { hosts: string[]; ports: string[] } {
  const hosts: string[] = [];
  const ports: string[] = [];
  for (const entry of list.split(",")) {
    const match = /^(?:\[([0-9a-f:.%]+)\]|([^:[\]]*))(?::(\d*))?$/i.exec(entry);
    if (!match) throw mistake("its host or port is not one; special characters of a password need %XX");
    hosts.push(decode(match[1] ?? match[2]));
    ports.push(match[3] ?? "");
  }
  return { hosts, ports };
}

const given = (name: ParameterName, value: string): Parameters => value === "" ? {} : { [name]: value };

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw mistake("it has a % that is not followed by two hexadecimal digits; a % itself is %25");
  }
}

function checkedName(name: string, query: string): ParameterName {
  if ((parameterNames as readonly string[]).includes(name)) return name as ParameterName;
  // What is no name at all, or comes before an "@", may be part of a password with a "?" in it.
  if (!/^\w+$/.test(name) || query.includes("@")) {
    throw mistake(`what follows the "?" has to be NAME=VALUE, and a ? in a password %3F`);
  }
  throw mistake(
    `it has an unknown parameter "${name}"${didYouMean(name, parameterNames)}`,
  );
}

function mistake(what: string): QueuectlError {
  return new QueuectlError("usage", `The database URL is not valid: ${what}`);
}
