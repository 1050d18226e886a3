/** Environments as Windows has them: names that differ in case only are one name. Pure. */

/** One environment of several, the later ones before the earlier ones; a variable that is null is taken away. */
export function mergeEnvironments(
  ...environments: ReadonlyArray<Record<string, string | null>>
): Record<string, string> {
  const merged = new Map<string, [name: string, value: string | null]>();
  for (const environment of environments) {
    for (const [name, value] of Object.entries(environment)) {
      const key = name.toUpperCase();
      merged.set(key, [merged.get(key)?.[0] ?? name, value]);
    }
  }
  return Object.fromEntries(
    [...merged.values()].filter((variable): variable is [string, string] => variable[1] !== null),
  );
}

/** The text that CreateProcessW takes, but for its last NUL: `NAME=VALUE` NUL …, in the order of the names. */
export function environmentBlock(environment: Record<string, string>): string {
  const variables = Object.entries(environment).map(([name, value]) => ({
    name: name.toUpperCase(),
    value,
    as: name,
  }));
  variables.sort((one, other) => one.name < other.name ? -1 : 1);
  return variables.map(({ as, value }) => `${as}=${value}\0`).join("");
}
