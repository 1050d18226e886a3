/**
 * How to connect, as libpq decides it: the URL before the service, the service before the environment, that before the
 * defaults. Pure: the environment and the files come in as arguments.
 */

import { QueuectlError } from "../../../base/errors.ts";
import { authMethods, type AuthRule, parseRequireAuth, standardRule } from "./auth_rule.ts";
import { type ParameterName, type Parameters, parseConnectionUrl, withoutPassword } from "./url.ts";
import { findPassword, type FoundFile, passwordFileProblem } from "./password_file.ts";
import { otherVariables, unkept } from "./other_parameters.ts";
import { findService } from "./service_file.ts";

const sslModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;

export type SslMode = typeof sslModes[number];

/** One of the servers that are tried in turn. */
export interface Server {
  /** By this name its certificate and password are looked for. */
  host: string;
  /** What to connect to; mostly the same. */
  address: string;
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
  /** What the server may ask for. */
  authentication: AuthRule;
  /** Only a server will do that proves to know the password, to who has this encrypted connection with it. */
  channelBinding: boolean;
  /** The user that a Unix socket has to be of; null for those that are usual. */
  requirePeer: string | null;
  /** Milliseconds. */
  connectTimeout: number;
  /** Whether the system looks for connections that were cut without a word. */
  keepAlive: boolean;
  /** The servers are tried in an order of chance. */
  shuffle: boolean;
  applicationName: string;
  /** Settings of the session, as the server takes them: `-c name=value`. */
  serverOptions: string;
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
export interface ProcessEnvironment {
  environment: Record<string, string | undefined>;
  isWindows: boolean;
  /** Undefined when there is none that can be read. */
  readFile(path: string): FoundFile | undefined;
  exists(path: string): boolean;
}

const environmentNames: Partial<Record<ParameterName, string>> = {
  ...otherVariables,
  host: "PGHOST",
  hostaddr: "PGHOSTADDR",
  port: "PGPORT",
  user: "PGUSER",
  password: "PGPASSWORD",
  dbname: "PGDATABASE",
  sslmode: "PGSSLMODE",
  sslrootcert: "PGSSLROOTCERT",
  passfile: "PGPASSFILE",
  application_name: "PGAPPNAME",
  connect_timeout: "PGCONNECT_TIMEOUT",
  options: "PGOPTIONS",
  target_session_attrs: "PGTARGETSESSIONATTRS",
  load_balance_hosts: "PGLOADBALANCEHOSTS",
  require_auth: "PGREQUIREAUTH",
  channel_binding: "PGCHANNELBINDING",
  requirepeer: "PGREQUIREPEER",
};

/** Milliseconds; libpq itself would wait for ever. */
const defaultConnectTimeout = 10_000;

/** Puts together how to connect to what a URL names. Throws `usage`. */
export function connectionOptions(url: string, process: ProcessEnvironment): ConnectionOptions {
  const { environment } = process;
  const fromUrl = parseConnectionUrl(url);
  const fromEnvironment = Object.fromEntries(
    Object.entries(environmentNames).map(([name, variable]) => [name, environment[variable] || undefined]),
  );
  const parameters = defined(fromEnvironment, serviceParameters(fromUrl, process), fromUrl);
  const problem = unkept(parameters);
  if (problem !== undefined) throw mistake(problem);
  const user = parameters.user ?? environment.USER ?? environment.LOGNAME ?? environment.USERNAME;
  if (!user) throw mistake("it names no user, and the environment has no PGUSER");
  const database = parameters.dbname ?? user;
  const warnings: string[] = [];
  const servers = serverList(parameters, process).map((server) => {
    const password = parameters.password ??
      filedPassword(parameters, { ...server, user, database }, process, warnings);
    return { ...server, password: password ?? null };
  });
  const attributes = oneOf("target_session_attrs", parameters.target_session_attrs, [
    servers.length > 1 ? "read-write" : "any",
    "any",
    "read-write",
    "primary",
  ]);
  return {
    servers,
    user,
    database,
    ...encryption(parameters, process),
    authentication: authentication(parameters),
    channelBinding: channelBinding(parameters),
    requirePeer: parameters.requirepeer || null,
    connectTimeout: timeout(parameters.connect_timeout),
    keepAlive: oneOf("keepalives", parameters.keepalives, ["1", "0"]) === "1",
    shuffle: oneOf("load_balance_hosts", parameters.load_balance_hosts, ["disable", "random"]) === "random",
    applicationName: parameters.application_name ?? parameters.fallback_application_name ?? "queuectl",
    serverOptions: parameters.options ?? "",
    writable: attributes !== "any",
    schema: schemaName(parameters.schema),
    prepare: oneOf("prepare", parameters.prepare, ["true", "false"]) === "true",
    location: withoutPassword(url),
    warnings: [...new Set(warnings)],
  };
}

/** What a later one says counts. */
function defined(...all: Parameters[]): Parameters {
  const entries = all.flatMap((parameters) => Object.entries(parameters));
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function serviceParameters(fromUrl: Parameters, { environment, readFile }: ProcessEnvironment): Parameters {
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

function serverList(parameters: Parameters, process: ProcessEnvironment): Array<Omit<Server, "password">> {
  const addresses = (parameters.hostaddr ?? "").split(",");
  const hosts = parameters.host ? parameters.host.split(",") : addresses.map(() => "");
  if (parameters.hostaddr && addresses.length !== hosts.length) {
    throw mistake(`it has ${hosts.length} hosts, but ${addresses.length} addresses (hostaddr)`);
  }
  const ports = (parameters.port ?? "").split(",");
  if (ports.length !== 1 && ports.length !== hosts.length) {
    throw mistake(`it has ${hosts.length} hosts, but ${ports.length} ports`);
  }
  return hosts.map((host, index) => {
    const port = portNumber(ports.length === 1 ? ports[0] : ports[index]);
    const address = addresses[index];
    if (address) return { host: host || address, address, port, socket: null };
    const isFolder = host.startsWith("/");
    const folder = isFolder ? host : host === "" ? socketFolder(port, process) : undefined;
    const name = host || "localhost";
    return {
      host: name,
      address: name,
      port,
      socket: folder === undefined ? null : `${folder}/.s.PGSQL.${port}`,
    };
  });
}

/** The folder in which a server of this host has its socket; undefined to use TCP. */
function socketFolder(port: number, { isWindows, exists }: ProcessEnvironment): string | undefined {
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
  { environment, isWindows, readFile }: ProcessEnvironment,
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
  { environment, readFile }: ProcessEnvironment,
): { sslMode: SslMode; rootCertificates: string | null } {
  const mode = oneOf("sslmode", parameters.sslmode ?? "prefer", sslModes);
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

function channelBinding({ channel_binding: value, sslmode }: Parameters): boolean {
  const isRequired = oneOf("channel_binding", value, ["prefer", "disable", "require"]) === "require";
  if (isRequired && sslmode === "disable") {
    throw mistake("channel_binding=require needs encryption, and sslmode is disable");
  }
  return isRequired;
}

function authentication({ require_auth: methods = "" }: Parameters): AuthRule {
  if (methods === "") return standardRule;
  const rule = parseRequireAuth(methods);
  if (rule) return rule;
  throw mistake(
    `require_auth is a list of ${authMethods.join(", ")}, or of those with a ! before each, not "${methods}"`,
  );
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
  // The last would end the body of a function, in which the name is.
  if (isRight && !/^pg_|^information_schema$|\$\w+\$/i.test(name)) return name;
  throw mistake("schema is a name of 1 to 63 bytes that does not begin with pg_, and has no $WORD$ in it");
}

/** The value, which has to be one of these; the first where there is none. */
function oneOf<Value extends string>(
  name: string,
  value: string | undefined,
  values: readonly Value[],
): Value {
  const found = value ? values.find((one) => one === value) : values[0];
  if (found !== undefined) return found;
  throw mistake(
    `${name} is ${[...new Set(values)].sort().join(", ").replace(/, ([^,]*)$/, " or $1")}, not "${value}"`,
  );
}

const homeFolder = (environment: ProcessEnvironment["environment"]) =>
  environment.HOME ?? environment.USERPROFILE ?? "";

function mistake(what: string): QueuectlError {
  return new QueuectlError("usage", `The database URL is not valid: ${what}`);
}
