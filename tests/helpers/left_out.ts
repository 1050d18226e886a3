/** Cases that are left out on a system, each with its reason, which `deno task test` tells once in the end. */

/** Whether a case is left out because this is Windows, for a reason like `signals`. */
export function posixOnly(reason: string): boolean {
  return leftOut(Deno.build.os === "windows", `Not on Windows: ${reason}`);
}

/** Whether a case is left out because an executable is what is tested, for a reason like `it has no failpoints`. */
export function sourceOnly(reason: string): boolean {
  return leftOut(Deno.env.has("QUEUECTL_TEST_PROGRAM"), `Not with an executable: ${reason}`);
}

/** Whether a case is left out, and why. */
export function leftOut(isLeftOut: boolean, reason: string): boolean {
  const file = Deno.env.get("QUEUECTL_TEST_LEFT_OUT");
  // One line in one write: test files run side by side.
  if (isLeftOut && file) Deno.writeTextFileSync(file, `${reason}\n`, { append: true });
  return isLeftOut;
}

/** What to say of the cases that were left out: a line for each reason. */
export function describeLeftOut(text: string): string[] {
  const reasons = Map.groupBy(text.split("\n").filter((line) => line !== ""), (line) => line);
  return [...reasons].map(([reason, { length }]) =>
    `${reason} (${length} ${length === 1 ? "case" : "cases"})`
  )
    .sort();
}
