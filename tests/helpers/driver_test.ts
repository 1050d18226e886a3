/** Tests that are the same for every driver. `deno task test` tells how many of them ran on each: those that say it here. */

export interface NamedDriver {
  name: string;
  /** There is no server here: its tests are only counted as left out. */
  ignore: boolean;
}

/**
 * With an executable a case that starts it runs on one of its drivers, by turns: on both it has run from source, and
 * drivers are below what an executable may get wrong.
 */
export function driversFor<Named extends NamedDriver>(drivers: readonly Named[]): readonly Named[] {
  const there = drivers.filter(({ ignore }) => !ignore);
  if (!Deno.env.has("QUEUECTL_TEST_PROGRAM") || there.length < 2) return drivers;
  return [there[turn++ % there.length]];
}

let turn = 0;

/** Registers a case for one driver; the same case has the same name on every driver. */
export function driverTest(
  driver: NamedDriver,
  name: string,
  fn: () => Promise<void>,
  options: { ignore?: boolean; sanitizeOps?: boolean; sanitizeResources?: boolean } = {},
): void {
  Deno.test({
    ...options,
    name: `${driver.name}: ${name}`,
    ignore: driver.ignore || options.ignore,
    async fn() {
      await fn();
      const file = Deno.env.get("QUEUECTL_TEST_PASSED");
      // One line in one write: test files run side by side.
      if (file) Deno.writeTextFileSync(file, `${JSON.stringify([driver.name, name])}\n`, { append: true });
    },
  });
}

/**
 * What to say of the cases that passed, a line of JSON each: how many did so on every driver, and how many on one alone.
 */
export function describePassed(text: string): string[] {
  const passed = text.split("\n").filter((line) => line !== "").map((line) =>
    JSON.parse(line) as [driver: string, name: string]
  );
  const onSqlite = new Set(passed.filter(([driver]) => driver === "sqlite").map(([, name]) => name));
  const onPostgres = new Set(passed.filter(([driver]) => driver === "postgres").map(([, name]) => name));
  return [
    `Cases that passed on both drivers: ${onSqlite.intersection(onPostgres).size}`,
    `Cases that passed on SQLite alone: ${onSqlite.difference(onPostgres).size}, ` +
    `on PostgreSQL alone: ${onPostgres.difference(onSqlite).size}`,
  ];
}
