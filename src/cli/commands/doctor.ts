import { databaseUrl } from "../../config.ts";
import { exitStatus, QueuectlError } from "../../errors.ts";
import { statIfThere } from "../../files.ts";
import { printable } from "../../printable.ts";
import { openStore } from "../../store/open.ts";
import { beingMoved } from "../../store/refusals.ts";
import type { RegisteredProcess, Store } from "../../store/store.ts";
import { findGone, hostName, takeSnapshot } from "../../worker/processes.ts";
import type { Context } from "../context.ts";
import { counted } from "../output.ts";
import { hostNames } from "../process_output.ts";
import { print } from "../standard_streams.ts";

/** What was found: `ok`, `note` where something will mend itself or is only worth knowing, `error` where it will not. */
interface Finding {
  level: "ok" | "note" | "error";
  text: string;
}

/** Prints a line for everything that was checked, with what to do; repairs nothing. */
export async function doctor(this: Context): Promise<void> {
  const report = async (findings: Finding[]) => {
    for (const { level, text } of findings) await print(`${level.padEnd(5)} ${printable(text)}\n`);
    if (findings.some(({ level }) => level === "error")) {
      this.process.exitCode = exitStatus(new QueuectlError("database", ""));
    }
  };
  const url = databaseUrl(this.db);
  let store: Store;
  try {
    // Who can write it is reported with the rest.
    store = await openStore(url, { missing: "empty", durable: false, allowShared: true });
  } catch (error) {
    if (!(error instanceof QueuectlError)) throw error;
    await print(`error ${printable(error.message)}\n`);
    this.process.exitCode = exitStatus(error);
    return;
  }
  await using opened = store;
  if (!opened.exists) {
    return await print(`note  There is no database ${opened.location} yet; enqueue makes it\n`);
  }
  await report(checkFiles(opened));
  await report(await checkMove(opened).catch(asFinding));
  // Each of them may meet the damage that is looked for.
  await report(await checkData(opened).catch(asFinding));
  await report(await checkProcesses(opened).catch(asFinding));
}

function asFinding(error: unknown): Finding[] {
  if (!(error instanceof QueuectlError)) throw error;
  return [{ level: "error", text: error.message }];
}

function checkFiles(store: Store): Finding[] {
  // A database on a server is no file.
  const file = statIfThere(store.location);
  const size = file ? `, ${file.size} bytes` : "";
  const findings: Finding[] = [{ level: "ok", text: `Database ${store.location}${size}` }];
  // SQLite gives its other files the mode of the first.
  for (const path of [store.location, store.spool]) {
    const mode = statIfThere(path)?.mode ?? 0;
    if (mode & 0o022) {
      findings.push({
        level: "error",
        text: `${path} can be written by other users; run: chmod go-w ${path}`,
      });
    } else if (mode & 0o044) {
      findings.push({
        level: "note",
        text: `${path} can be read by other users, with all commands and their output`,
      });
    }
  }
  return findings;
}

/** A queue whose move to another database was interrupted refuses every change. */
async function checkMove(store: Store): Promise<Finding[]> {
  const move = await (await store.moving()).begun();
  return move ? [{ level: "error", text: beingMoved(store.location, move.location).message }] : [];
}

async function checkData(store: Store): Promise<Finding[]> {
  const problems = await store.check();
  if (problems.length === 0) return [{ level: "ok", text: "The data is sound" }];
  const rescue = `, or save what can be read: sqlite3 ${store.location} .recover`;
  const advice = `stop the workers and restore a backup${statIfThere(store.location) ? rescue : ""}`;
  return [
    ...problems.map((text) => ({ level: "error", text } as const)),
    { level: "note", text: `What to do: ${advice}` },
  ];
}

async function checkProcesses(store: Store): Promise<Finding[]> {
  const processes = await store.processes();
  if (processes.length === 0) {
    const open = await store.countOpen();
    if (open === 0) return [{ level: "ok", text: "Nothing waits, and no worker runs" }];
    const jobs = open === 1 ? "1 job waits" : `${open} jobs wait`;
    return [{ level: "note", text: `${jobs}, but no worker runs; start one: queuectl worker start` }];
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
    const jobs = running.length > 0 ? `; its ${counted(running.length, "job")} will be taken over` : "";
    return { level: "note", text: `${name} is gone${jobs} when a worker starts: queuectl worker start` };
  }
  if (expired && host !== null) {
    const text =
      `${name} has not been heard of for longer than its lease: its host is down or cut off, or it ` +
      "hangs; its jobs are taken over by workers of other hosts";
    return { level: "note", text };
  }
  if (expired) {
    const advice =
      `if it hangs, end it with: kill -9 ${identity.pid} (its commands run on, and are taken over)`;
    return {
      level: "error",
      text: `${name} is there, but has not been heard of for longer than its lease; ${advice}`,
    };
  }
  return {
    level: "ok",
    text: `${name} is at work${running.length > 0 ? ` on ${counted(running.length, "job")}` : ""}`,
  };
}
