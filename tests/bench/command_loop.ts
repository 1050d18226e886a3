/** What queuectl is measured against: `COUNT SIDE_BY_SIDE COMMAND`, a bare loop of `Deno.Command`. */

const [count, sideBySide, command] = Deno.args;
let left = Number(count);

async function loop(): Promise<void> {
  while (left-- > 0) {
    await new Deno.Command("/bin/sh", {
      args: ["-c", command],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
  }
}

await Promise.all(Array.from({ length: Number(sideBySide) }, loop));
