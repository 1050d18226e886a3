import { allowances, databaseUrl } from "../../job/settings.ts";
import { exitStatus, QueuectlError } from "../../base/errors.ts";
import { statIfThere } from "../../base/files.ts";
import { type Exposure, spoolExposures } from "../../base/other_users.ts";
import { printable } from "../../base/printable.ts";
import { formatSize } from "../../base/size.ts";
import { openStore } from "../../store/open.ts";
import { beingMoved, sharedDatabaseAdvice, SharedDatabaseError } from "../../store/errors.ts";
import type { RegisteredProcess, Store } from "../../store/store.ts";
import { spoolProblem } from "../../worker/spool/spool.ts";
import { diskOf, findGone, hostName, takeSnapshot } from "../../worker/host/processes.ts";
import type { Context } from "../context.ts";
import { counted, json } from "../output/output.ts";
import { hostNames } from "../output/process_output.ts";
import { print } from "../output/standard_streams.ts";

/** What was found: `ok`, `note` where something will mend itself or is only worth knowing, `error` where it will not. */
interface Finding {
  level: "ok" | "note" | "error";
  what: string;
  /** What to do. */
  advice?: string;
  /** The advice is the same for several, and told behind the last of them. */
  isAdviceShared?: boolean;
}

/** Prints a line for everything that was checked, with what to do, or all of it as JSON; repairs nothing. */
export async function doctor(this: Context, flags: { json?: boolean }): Promise<void> {
  const found: Finding[] = [];
  await examine(this, async (findings, status = exitStatus(new QueuectlError("database", ""))) => {
    found.push(...findings);
    if (findings.some(({ level }) => level === "error")) this.process.exitCode = status;
    if (!flags.json) await print(findingLines(findings).join(""));
  });
  if (flags.json) await print(json(reportObject(found)) + "\n");
}

/** A line for each finding. */
function findingLines(findings: readonly Finding[]): string[] {
  const line = (level: Finding["level"], text: string) => `${level.padEnd(5)} ${printable(text)}\n`;
  const shared = findings.find(({ isAdviceShared }) => isAdviceShared);
  return [
    ...findings.map(({ level, what, advice, isAdviceShared }) =>
      line(level, advice === undefined || isAdviceShared ? what : `${what}; ${advice}`)
    ),
    ...shared ? [line("note", `What to do: ${shared.advice}`)] : [],
  ];
}

/** What `doctor --json` prints. */
const reportObject = (findings: readonly Finding[]) => ({
  ok: findings.every(({ level }) => level !== "error"),
  findings: findings.map(({ level, what, advice }) => ({ level, what, advice: advice ?? null })),
});

/** Checks one thing after the other, and reports each; the exit status is that of an error in it. */
async function examine(
  context: Context,
  report: (findings: Finding[], status?: number) => Promise<void>,
): Promise<void> {
  const url = databaseUrl(context.db);
  const exposures: Exposure[] = [];
  let store: Store;
  try {
    store = await openStore(url, {
      missing: "empty",
      durable: false,
      ...allowances(context.allowed),
      // Who can write a file is reported with the rest; what somebody else has made is not even opened, here or on a server.
      inspect: (found) => exposures.push(...found),
    });
  } catch (error) {
    if (error instanceof SharedDatabaseError) {
      return await report(strangerFindings(error.parts), exitStatus(error));
    }
    if (!(error instanceof QueuectlError)) throw error;
    const findings = exposures.length > 0 ? exposures.map(exposureFinding) : asFinding(error);
    if (!url.includes("://")) findings.push(...await checkDisks([url]));
    return await report(findings, exitStatus(error));
  }
  await using opened = store;
  if (!opened.exists) {
    const what = `There is no database ${opened.location} yet`;
    return await report([{ level: "note", what, advice: "enqueue makes it" }]);
  }
  await report(checkFiles(opened, exposures));
  await report(checkSpool(opened, exposures));
  await report(await checkDisks(foldersOf(opened)));
  await report(strangerFindings(await opened.strangers()));
  await report(await checkMove(opened).catch(asFinding));
  // Each of them may meet the damage that is looked for.
  await report(await checkData(opened).catch(asFinding));
  await report(await checkProcesses(opened).catch(asFinding));
}

/** Where it writes on this host; what is wrong with the place of a spool is told by {@link checkSpool}. */
function foldersOf(store: Store): string[] {
  try {
    return store.shared ? [store.spool] : [store.location, store.spool];
  } catch (error) {
    asFinding(error);
    return [];
  }
}

function asFinding(error: unknown): Finding[] {
  if (!(error instanceof QueuectlError)) throw error;
  return [{ level: "error", what: error.message }];
}

const exposureFinding = ({ what, advice }: Exposure): Finding => ({ level: "error", what, advice });

/** What others own in the database, or have made in it. */
const strangerFindings = (parts: readonly string[]): Finding[] =>
  parts.map((what) => ({
    level: "error",
    what: `Other users could have commands run as you: ${what}`,
    advice: sharedDatabaseAdvice,
    isAdviceShared: true,
  }));

function checkFiles(store: Store, exposures: readonly Exposure[]): Finding[] {
  // A database on a server is no file.
  const file = statIfThere(store.location);
  const size = file ? `, ${file.size} bytes` : "";
  const findings: Finding[] = [{ level: "ok", what: `Database ${store.location}${size}` }];
  // What it says of modes is made up there.
  if (Deno.build.os === "windows") return findings;
  findings.push(...exposures.map(exposureFinding));
  // SQLite gives its other files the mode of the first.
  return [...findings, ...readableFindings(store.location)];
}

/** Whether workers of this user can run commands here, and who else could do what with their files. */
function checkSpool(store: Store, exposures: readonly Exposure[]): Finding[] {
  try {
    const problem = spoolProblem(store.spool);
    if (problem) throw problem;
    if (Deno.build.os === "windows") return [];
    const found = spoolExposures(store.spool).filter(({ what }) =>
      !exposures.some((known) => known.what === what)
    );
    return [...found.map(exposureFinding), ...readableFindings(store.spool)];
  } catch (error) {
    return asFinding(error);
  }
}

function readableFindings(path: string): Finding[] {
  const mode = statIfThere(path)?.mode ?? 0;
  if ((mode & 0o044) === 0 || (mode & 0o022) !== 0) return [];
  const what = `${path} can be read by other users, with all commands and their output`;
  return [{ level: "note", what }];
}

/** Bytes that are left on a disk which is full, and on one which soon may be: as much as a command may print before it is cut. */
const [fullDisk, shortDisk] = [1024 ** 2, 32 * 1024 ** 2];

/** Names each disk that is full, or may soon be, once. Of a path that is not there nothing is told. */
async function checkDisks(paths: readonly string[]): Promise<Finding[]> {
  const disks = await Promise.all(paths.map((path) => diskOf(path)));
  const short = new Map(
    disks.flatMap((disk) => disk && disk.free < shortDisk ? [[disk.mount, disk.free]] : []),
  );
  return [...short].map(([mount, free]) => ({
    level: free < fullDisk ? "error" : "note",
    what: `The disk ${mount} ${free < fullDisk ? "is full" : "is nearly full"}: ${formatSize(free)} left`,
    advice: "make room on it; queuectl clean makes room within the database for what comes",
  }));
}

/** A queue whose move to another database was interrupted refuses every change. */
async function checkMove(store: Store): Promise<Finding[]> {
  const move = await (await store.moving()).begun();
  return move ? asFinding(beingMoved(store.location, move.location)) : [];
}

async function checkData(store: Store): Promise<Finding[]> {
  const problems = await store.check();
  if (problems.length === 0) return [{ level: "ok", what: "The data is sound" }];
  const rescue = `, or save what can be read: sqlite3 ${store.location} .recover`;
  const advice = `stop the workers and restore a backup${statIfThere(store.location) ? rescue : ""}`;
  return problems.map((what) => ({ level: "error", what, advice, isAdviceShared: true }));
}

async function checkProcesses(store: Store): Promise<Finding[]> {
  const processes = await store.processes();
  if (processes.length === 0) {
    const open = await store.countOpen();
    if (open === 0) return [{ level: "ok", what: "Nothing waits, and no worker runs" }];
    const jobs = open === 1 ? "1 job waits" : `${open} jobs wait`;
    const advice = "start one: queuectl worker start";
    return [{ level: "note", what: `${jobs}, but no worker runs`, advice }];
  }
  const snapshot = await takeSnapshot();
  const gone = findGone(processes, snapshot, store.shared);
  const nameOf = hostNames(processes);
  return processes.map((process) => {
    const isHere = process.identity.host === hostName(snapshot);
    return describeProcess(process, gone.includes(process.id), isHere ? null : nameOf(process));
  });
}

/** What is known of a process; `host` is null for this one. */
function describeProcess(process: RegisteredProcess, isGone: boolean, host: string | null): Finding {
  const { role, number, identity, running, expired } = process;
  const place = host === null ? "" : ` on host ${host}`;
  const name = `${role === "manager" ? "Manager" : `Worker-${number}`} (pid ${identity.pid}${place})`;
  if (isGone) {
    const rest = running.length > 0
      ? `its ${counted(running.length, "job")} will be taken over`
      : "it will be forgotten";
    const what = `${name} is gone; ${rest} when a worker starts`;
    return { level: "note", what, advice: "start one: queuectl worker start" };
  }
  if (expired && host !== null) {
    const what =
      `${name} has not been heard of for longer than its lease: its host is down or cut off, or it ` +
      "hangs; its jobs are taken over by workers of other hosts";
    return { level: "note", what };
  }
  if (expired) {
    const advice =
      `if it hangs, end it with: kill -9 ${identity.pid} (its commands run on, and are taken over)`;
    return {
      level: "error",
      what: `${name} is there, but has not been heard of for longer than its lease`,
      advice,
    };
  }
  return {
    level: "ok",
    what: `${name} is at work${running.length > 0 ? ` on ${counted(running.length, "job")}` : ""}`,
  };
}
