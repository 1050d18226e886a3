/**
 * The program as it runs on another host: with that one's name (`TEST_HOST`), and a clock that is `TEST_AHEAD`
 * milliseconds ahead of this host's. tests/helpers/other_host.ts starts it.
 */

const ahead = Number(Deno.env.get("TEST_AHEAD"));
const name = Deno.env.get("TEST_HOST")!;

const OwnDate = Date;
globalThis.Date = class extends OwnDate {
  constructor(...parts: []) {
    super(...(parts.length === 0 ? [OwnDate.now() + ahead] : parts) as []);
  }
  static override now(): number {
    return OwnDate.now() + ahead;
  }
} as DateConstructor;

Object.defineProperty(Deno, "hostname", { value: () => name });

// The workers of a manager are on its host.
const main = import.meta.resolve("../../src/main.ts");
const OwnCommand = Deno.Command;
Deno.Command = class extends OwnCommand {
  constructor(command: string | URL, options: Deno.CommandOptions = {}) {
    const args = options.args?.map((arg) => arg === main ? import.meta.url : arg);
    super(command, { ...options, args });
  }
};

await import(main);
