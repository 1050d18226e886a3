/** libpq's parameters that queuectl does not have, and the values of them that ask for nothing else than what it does. Pure. */

/** Of each: its variable, and those values; `any` where it only says how something is done that queuectl does not do. */
const others = {
  client_encoding: { values: ["auto", "UTF8", "UTF-8", "unicode"] },
  gssencmode: { variable: "PGGSSENCMODE", values: ["disable", "prefer"] },
  gssdelegation: { variable: "PGGSSDELEGATION", values: ["0"] },
  gsslib: { values: "any" },
  krbsrvname: { values: "any" },
  // What they are for is done anyway, and sooner: each answer is waited for a bounded time.
  keepalives_idle: { values: "whole" },
  keepalives_interval: { values: "whole" },
  keepalives_count: { values: "whole" },
  tcp_user_timeout: { values: "whole" },
  sslcompression: { values: ["0", "1"] },
  sslnegotiation: { variable: "PGSSLNEGOTIATION", values: ["postgres"] },
  sslsni: { variable: "PGSSLSNI", values: ["1"] },
  sslcertmode: { variable: "PGSSLCERTMODE", values: ["disable", "allow"] },
  sslcert: { variable: "PGSSLCERT", values: [] },
  sslkey: { variable: "PGSSLKEY", values: [] },
  sslpassword: { values: [] },
  sslcrl: { variable: "PGSSLCRL", values: [] },
  sslcrldir: { variable: "PGSSLCRLDIR", values: [] },
  sslkeylogfile: { values: [] },
  ssl_min_protocol_version: {
    variable: "PGSSLMINPROTOCOLVERSION",
    values: ["TLSv1", "TLSv1.1", "TLSv1.2"],
  },
  ssl_max_protocol_version: { variable: "PGSSLMAXPROTOCOLVERSION", values: ["TLSv1.3"] },
  min_protocol_version: { variable: "PGMINPROTOCOLVERSION", values: ["3.0"] },
  max_protocol_version: { variable: "PGMAXPROTOCOLVERSION", values: ["3.0", "3.2", "latest"] },
  replication: { values: ["false", "off", "no", "0"] },
  scram_client_key: { values: [] },
  scram_server_key: { values: [] },
  oauth_issuer: { values: [] },
  oauth_client_id: { values: [] },
  oauth_client_secret: { values: [] },
  oauth_scope: { values: [] },
} as const satisfies Record<string, { variable?: string; values: readonly string[] | "any" | "whole" }>;

export type OtherName = keyof typeof others;

export const otherNames = Object.keys(others) as OtherName[];

/** The variables by the names of their parameters. */
export const otherVariables: Partial<Record<OtherName, string>> = Object.fromEntries(
  Object.entries(others).flatMap(([name, other]) => "variable" in other ? [[name, other.variable]] : []),
);

/** What is asked for that cannot be kept, in words; undefined where there is nothing. No value is quoted that may be a secret. */
export function unkept(parameters: Partial<Record<OtherName, string>>): string | undefined {
  for (const name of otherNames) {
    const { values } = others[name];
    const value = parameters[name];
    if (!value || values === "any") continue;
    if (values === "whole") {
      if (!/^-?\d+$/.test(value)) return `${name} is a whole number`;
      continue;
    }
    if (values.some((kept) => kept.toLowerCase() === value.toLowerCase())) continue;
    // Without a certificate nothing else of it matters.
    const ofCertificate = ["sslcert", "sslkey", "sslpassword"].includes(name);
    if (ofCertificate && parameters.sslcertmode === "disable") continue;
    const variable = otherVariables[name];
    const named = variable ? `${name} (${variable})` : name;
    if (values.length > 0) return `${named} is ${values.join(" or ")}, not "${value}"`;
    return `it asks for ${named}, which queuectl does not have` +
      (ofCertificate ? "; to do without a client certificate add sslcertmode=disable" : "");
  }
}
