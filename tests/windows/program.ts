/**
 * What commands of these tests run, in the place of programs that not every Windows has: `stay NAME` writes its pid to
 * NAME.pid and waits until NAME.go is there, `print TEXT…` prints its arguments as JSON, `leave NAME` starts a `stay NAME`
 * in the background and ends. Whatever waits ends when its folder is gone.
 */

import { statIfThere } from "../../src/base/files.ts";

async function stay(name: string): Promise<void> {
  Deno.writeTextFileSync(`${name}.new`, String(Deno.pid));
  Deno.renameSync(`${name}.new`, `${name}.pid`);
  console.log(`${name} runs`);
  while (!statIfThere(`${name}.go`) && statIfThere(`${name}.pid`)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  console.log(`${name} ends`);
}

function leave(name: string): void {
  new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", import.meta.url, "stay", name],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn().unref();
}

const [verb, ...rest] = Deno.args;
if (verb === "stay") await stay(rest[0]);
else if (verb === "leave") leave(rest[0]);
else if (verb === "print") console.log(JSON.stringify(rest));
else throw new Error(`No verb ${verb}`);
