/** Which ways to log in are taken: libpq's `require_auth`. Pure. */

/** As libpq's `require_auth` names them; `none` is a server that asks for nothing. */
export const authMethods = ["password", "md5", "gss", "sspi", "scram-sha-256", "none"] as const;

export type AuthMethod = typeof authMethods[number];

export interface AuthRule {
  methods: readonly AuthMethod[];
  /** The password may be sent as it is, to whoever asks for it; else only to a server that is known to be the right one. */
  clearText: boolean;
}

/** Without `require_auth`. */
export const standardRule: AuthRule = { methods: authMethods, clearText: false };

/**
 * What `require_auth` says: methods by commas, of which one has to be asked for, or each with a `!`, of which none may be.
 * Undefined for what it cannot be.
 */
export function parseRequireAuth(text: string): AuthRule | undefined {
  const words = text.split(",").map((word) => word.trim());
  const isNegated = words[0].startsWith("!");
  const named = words.map((word) => isNegated && word.startsWith("!") ? word.slice(1) : word);
  const isRight = words.every((word) => word.startsWith("!") === isNegated) &&
    new Set(named).size === named.length &&
    named.every((name) => (authMethods as readonly string[]).includes(name));
  if (!isRight) return undefined;
  return {
    methods: authMethods.filter((method) => named.includes(method) !== isNegated),
    clearText: !isNegated && named.includes("password"),
  };
}
