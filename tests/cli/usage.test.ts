import assert from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };
import { runProgram } from "../helpers/program.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

Deno.test("help and version are on standard output, everywhere, and leave nothing behind", async () => {
  await using folder = await temporaryFolder();
  const helps: Array<[string[], RegExp]> = [
    [[], /queuectl enqueue .*\n(.*\n)*.*--% .*PowerShell/],
    [["--help"], /COMMANDS/],
    [["worker"], /start +Run jobs/],
    [["dlq"], /retry/],
    [["config", "-h"], /max-retries/],
    [["help", "enqueue"], /max_retries(.*\n)*.*--%/],
    [["worker", "start", "--help"], /--drain/],
  ];
  for (const [args, expected] of helps) {
    const { code, stdout, stderr } = await runProgram(args, { cwd: folder.path });
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    assert.match(stdout, expected);
    // deno-lint-ignore no-control-regex -- there must be no colour
    assert.doesNotMatch(stdout, /\x1b/);
  }
  for (const args of [["--version"], ["-V"], ["list", "--version"]]) {
    const result = await runProgram(args, { cwd: folder.path });
    assert.deepEqual(result, { code: 0, stdout: `${config.version}\n`, stderr: "" });
  }
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
});

Deno.test("a command line that is not understood is refused in one line that says what to do", async () => {
  await using folder = await temporaryFolder();
  const cases: Array<[string[], RegExp]> = [
    [["enque"], /^Unknown command "enque" \(did you mean "enqueue"\?\)\. Run queuectl --help$/],
    [
      ["worker", "strat"],
      /^Unknown command "strat" \(did you mean "start"\?\)\. Run queuectl worker --help$/,
    ],
    [["xyz\n"], /^Unknown command "xyz↵"\. Run queuectl --help$/],
    [["list", "--jsn"], /^Unknown flag "--jsn" \(did you mean "--json"\?\)\. Run queuectl list --help$/],
    [["list", "-x"], /^Unknown flag "-x"/],
    [["start"], /^Unknown command "start" \(did you mean "worker start"\?\)\. Run queuectl --help$/],
    [["hepl", "--db", "x"], /^Unknown command "hepl" \(did you mean "help"\?\)/],
    [["--hepl"], /^Unknown flag "--hepl" \(did you mean "--help"\?\)\. Run queuectl --help$/],
    [["worker", "start", "--bd", "x"], /^Unknown flag "--bd" \(did you mean "--db"\?\)/],
    [["logs", "-n", "nightly"], /^Flag --lines \(-n\) takes a whole number from 0 .*, not "nightly"$/],
    [["run"], /^Give a command to run, in quotes or behind --: queuectl run -- COMMAND ARGUMENTS\. /],
    [["list", "--state"], /^Flag --state needs a value/],
    [["list", "extra"], /^Unexpected argument "extra"/],
    [["list", "--json", "--json"], /^Flag --json is given twice/],
    [
      ["list", "--state", "pendin"],
      /^Unknown state "pendin" \(did you mean "pending"\?\)\. States are: pending, /,
    ],
    [["list", "--state", "running"], /^Unknown state "running" \(did you mean "processing"\?\)\. States are/],
    [["list", "--state", "queued"], /\(did you mean "waiting"\?\)/],
    [["list", "--state", "done"], /\(did you mean "completed"\?\)/],
    [["list", "--state", "error"], /\(did you mean "failed"\?\)/],
    [["list", "--state", "canceled"], /\(did you mean "cancelled"\?\)/],
    [["list", "--state", "DLQ"], /\(did you mean "dead"\?\)/],
    [["list", "--limit", "0"], /^Flag --limit takes a whole number from 1 to 1000000, not "0"$/],
    [["enqueue"], /^Give a command to run, .*\. Run queuectl enqueue --help$/],
    [["worker", "start", "--count", "257"], /^Flag --count takes a whole number from 1 to 256, not "257"$/],
    [["worker", "start", "--concurrency", "1.5"], /^Flag --concurrency takes a whole number from 1 to 1024/],
    [["worker", "stop", "--now", "--grace", "1s"], /--now and --grace cannot be given together/],
    [["worker", "stop", "--grace", "soon"], /^Flag --grace takes a duration like/],
    [["dlq", "retry"], /^Argument ID is missing; give ids of jobs, or --all$/],
    [["dlq", "purge", "--all", "a"], /^Give the ids of jobs or --all, not both$/],
    [["config", "get", "graze"], /^Unknown setting "graze" \(did you mean "grace"\?\)/],
    [["config", "set", "grace"], /^Argument VALUE is missing/],
    [["config", "set", "max-retries", "-1"], /takes a whole number from 0 to 1000, not "-1"$/],
    [["list", "--db", ""], /^Flag --db needs a value/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await runProgram(args, { cwd: folder.path });
    assert.deepEqual({ code, stdout }, { code: 2, stdout: "" }, args.join(" "));
    assert.match(stderr, /^[^\n]+\n$/);
    assert.match(stderr.trimEnd(), message);
  }
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
});
