/**
 * How to connect, as libpq decides it: the URL before the service, the service before the environment, that before the
 * defaults. Pure: the environment and the files come in as arguments.
 */

import { QueuectlError } from "../../errors.ts";
import {
  type ParameterName,
  type Parameters,
  parseConnectionUrl,
  withoutPassword,
} from "./connection_url.ts";
import { findPassword, type FoundFile, passwordFileProblem } from "./password_file.ts";
import { findService } from "./service_file.ts";

const sslModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;

export type SslMode = typeof sslModes[number];

/** One of the servers that are tried in turn. */
export interface Server {
  host: string;
  port: number;
  /** The path of its Unix socket; null for TCP. */
  socket: string | null;
  password: string | null;
}

export interface ConnectionOptions {
  servers: Server[];
  user: string;
  database: string;
  sslMode: SslMode;
  /** PEM text of the certificates to trust; null for those of the system. */
  rootCertificates: string | null;
  /** Milliseconds. */
  connectTimeout: number;
  applicationName: string;
  /** Only a server that takes writes will do. */
  writable: boolean;
  schema: string;
  /** Whether the server keeps statements prepared, which not every pooler can. */
  prepare: boolean;
  /** The URL as it may be shown: without a password. */
  location: string;
  /** What the user should know, such as a password file that is not used. */
  warnings: string[];
}

/** Where the answers come from that are not in the URL. */
export interface Surroundings {
  environment: Record<string, string | undefined>;
  isWindows: boolean;
  /** Undefined when there is none that can be read. */
  readFile(path: string): FoundFile | undefined;
  exists(path: string): boolean;
}

const environmentNames: Partial<Record<ParameterName, string>> = {
  host: "PGHOST",
  port: "PGPORT",
  user: "PGUSER",
  password: "PGPASSWORD",
  dbname: "PGDATABASE",
  sslmode: "PGSSLMODE",
  sslrootcert: "PGSSLROOTCERT",
  passfile: "PGPASSFILE",
  application_name: "PGAPPNAME",
  connect_timeout: "PGCONNECT_TIMEOUT",
  target_session_attrs: "PGTARGETSESSIONATTRS",
};

/** Milliseconds; libpq itself would wait for ever. */
const defaultConnectTimeout = 10_000;

/** Puts together how to connect to what a URL names. Throws `usage`. */
export function connectionOptions(url: string, surroundings: Surroundings): ConnectionOptions {
  const { environment } = surroundings;
  const fromUrl = parseConnectionUrl(url);
  const fromEnvironment = Object.fromEntries(
    Object.entries(environmentNames).map(([name, variable]) => [name, environment[variable] || undefined]),
  );
  const parameters = defined(fromEnvironment, serviceParameters(fromUrl, surroundings), fromUrl);
  const user = parameters.user ?? environment.USER ?? environment.LOGNAME ?? environment.USERNAME;
  if (!user) throw mistake("it names no user, and the environment has no PGUSER");
  const database = parameters.dbname ?? user;
  const warnings: string[] = [];
  const servers = serverList(parameters, surroundings).map((server) => {
    const password = parameters.password ??
      filedPassword(parameters, { ...server, user, database }, surroundings, warnings);
    return { ...server, password: password ?? null };
  });
  const attributes = parameters.target_session_attrs ?? (servers.length > 1 ? "read-write" : "any");
  if (!["any", "read-write", "primary"].includes(attributes)) {
    throw mistake(`target_session_attrs is any, read-write or primary, not "${attributes}"`);
  }
  return {
    servers,
    user,
    database,
    ...encryption(parameters, surroundings),
    connectTimeout: timeout(parameters.connect_timeout),
    applicationName: parameters.application_name ?? "queuectl",
    writable: attributes !== "any",
    schema: schemaName(parameters.schema),
    prepare: flag("prepare", parameters.prepare),
    location: withoutPassword(url),
    warnings: [...new Set(warnings)],
  };
}

/** What a later one says counts. */
function defined(...all: Parameters[]): Parameters {
  const entries = all.flatMap((parameters) => Object.entries(parameters));
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function serviceParameters(fromUrl: Parameters, { environment, readFile }: Surroundings): Parameters {
  const service = fromUrl.service ?? environment.PGSERVICE;
  if (!service) return {};
  const named = fromUrl.servicefile ?? environment.PGSERVICEFILE;
  const files = [
    named || `${homeFolder(environment)}/.pg_service.conf`,
    `${environment.PGSYSCONFDIR || "/etc/postgresql-common"}/pg_service.conf`,
  ];
  for (const file of files) {
    const found = findService(readFile(file)?.text ?? "", service);
    if (found) return found;
  }
  throw mistake(`the service "${service}" is neither in ${files.join(" nor in ")}`);
}

function serverList(parameters: Parameters, surroundings: Surroundings): Array<Omit<Server, "password">> {
  const hosts = (parameters.host ?? "").split(",");
  const ports = (parameters.port ?? "").split(",");
  if (ports.length !== 1 && ports.length !== hosts.length) {
    throw mistake(`it has ${hosts.length} hosts, but ${ports.length} ports`);
  }
  return hosts.map((host, index) => {
    const port = portNumber(ports.length === 1 ? ports[0] : ports[index]);
    const isFolder = host.startsWith("/");
    const folder = isFolder ? host : host === "" ? socketFolder(port, surroundings) : undefined;
    if (folder === undefined) return { host: host || "localhost", port, socket: null };
    return { host: isFolder ? host : "localhost", port, socket: `${folder}/.s.PGSQL.${port}` };
  });
}

/** The folder in which a server of this host has its socket; undefined to use TCP. */
function socketFolder(port: number, { isWindows, exists }: Surroundings): string | undefined {
  if (isWindows) return undefined;
  return ["/var/run/postgresql", "/tmp"].find((folder) => exists(`${folder}/.s.PGSQL.${port}`));
}

function portNumber(text: string): number {
  const port = text === "" ? 5432 : Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw mistake("a port is a number from 1 to 65535");
}

function filedPassword(
  parameters: Parameters,
  key: { host: string; port: number; database: string; user: string },
  { environment, isWindows, readFile }: Surroundings,
  warnings: string[],
): string | undefined {
  const standard = isWindows
    ? `${environment.APPDATA ?? ""}\\postgresql\\pgpass.conf`
    : `${homeFolder(environment)}/.pgpass`;
  const path = parameters.passfile ?? standard;
  const file = readFile(path);
  if (!file) return undefined;
  const problem = passwordFileProblem(path, file);
  if (problem === undefined) return findPassword(file.text, key);
  warnings.push(`The password file ${path} is not used: ${problem}`);
  return undefined;
}

function encryption(
  parameters: Parameters,
  { environment, readFile }: Surroundings,
): { sslMode: SslMode; rootCertificates: string | null } {
  const mode = (parameters.sslmode ?? "prefer") as SslMode;
  if (!sslModes.includes(mode)) {
    throw mistake(`sslmode is ${sslModes.join(", ")}, not "${mode}"`);
  }
  const named = parameters.sslrootcert;
  if (named === "system") return { sslMode: "verify-full", rootCertificates: null };
  const path = named ?? `${homeFolder(environment)}/.postgresql/root.crt`;
  const rootCertificates = readFile(path)?.text ?? null;
  if (mode.startsWith("verify") && rootCertificates === null) {
    throw mistake(
      `sslmode ${mode} needs the certificates to trust, but there is no file ${path}; ` +
        "name one with sslrootcert, or use sslrootcert=system",
    );
  }
  // As in libpq: with certificates at hand "require" checks them.
  return { sslMode: mode === "require" && rootCertificates !== null ? "verify-ca" : mode, rootCertificates };
}

function timeout(text: string | undefined): number {
  if (text === undefined) return defaultConnectTimeout;
  const seconds = Number(text);
  if (!Number.isInteger(seconds)) throw mistake("connect_timeout is a whole number of seconds");
  // As in libpq, where 0 is for ever and 1 is not enough.
  return seconds <= 0 ? 2 ** 31 - 1 : Math.max(2, seconds) * 1000;
}

function schemaName(name = "queuectl"): string {
  const isRight = name !== "" && new TextEncoder().encode(name).length <= 63 &&
    // deno-lint-ignore no-control-regex -- control characters are what is looked for
    !/[\x00-\x1f\x7f]/.test(name);
  if (isRight && !/^pg_|^information_schema$/i.test(name)) return name;
  throw mistake("schema is a name of 1 to 63 bytes that does not begin with pg_");
}

function flag(name: string, text = "true"): boolean {
  if (text === "true" || text === "false") return text === "true";
  throw mistake(`${name} is true or false, not "${text}"`);
}

const homeFolder = (environment: Surroundings["environment"]) =>
  environment.HOME ?? environment.USERPROFILE ?? "";

function mistake(what: string): QueuectlError {
  return new QueuectlError("usage", `The database URL is not valid: ${what}`);
}
