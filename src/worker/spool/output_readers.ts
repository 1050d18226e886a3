/**
 * Who reads on this host what commands print: each reader has a file in the spool, `reader.UUID`, with the job that it reads
 * (null: all) in its first line, and in the others the runs of which it has read everything. It touches the file as long as it
 * lives. So what is being read is neither cut nor removed, and a reader that was killed holds nothing for long.
 */

import { readIfThere, removeIfThere, statIfThere, touchIfThere } from "../../base/files.ts";
import { makeSpool, removeFiles } from "./spool.ts";

/** Milliseconds between two signs of life, and after which a reader that gives none counts as gone. */
const [signInterval, longestSilence] = [2000, 10_000];

export interface OutputReader extends Disposable {
  /** All of a run that has ended was read; its files go with its last reader. */
  hasRead(files: string): void;
}

/** Announces a reader of one job's output, or of all jobs'; where that is not possible nobody waits for it. */
export function announceReader(folder: string, job: string | null, allowShared: boolean): OutputReader {
  const path = `${folder}/reader.${crypto.randomUUID()}`;
  const announce = () => Deno.writeTextFileSync(path, `${JSON.stringify(job)}\n`, { mode: 0o600 });
  /** It reads what there is also where this user may not write, or the disk is full. */
  const ifPossible = (action: () => void) => {
    try {
      action();
      return true;
    } catch {
      return false;
    }
  };
  const isAnnounced = ifPossible(() => {
    makeSpool(folder, allowShared);
    // Those of readers that were killed are removed.
    liveReaders(folder);
    announce();
  });
  // One that was stopped for long was taken for gone.
  const sign = () => ifPossible(() => touchIfThere(path) || announce());
  const timer = isAnnounced ? setInterval(sign, signInterval) : undefined;
  return {
    hasRead(files) {
      ifPossible(() => {
        if (isAnnounced) Deno.writeTextFileSync(path, `${nameOf(files)}\n`, { append: true });
        if (!isBeingRead(files)) removeFiles(files);
      });
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      ifPossible(() => removeIfThere(path));
    },
  };
}

/** What a reader has in its file, by lines. */
type Reader = string[];

/**
 * Whether somebody reads what a run prints, or has printed, and has not read all of it; without `job` perhaps that of
 * another one.
 */
export function isBeingRead(files: string, job?: string, readers = liveReaders(folderOf(files))): boolean {
  return readers.some(([of, ...read]) =>
    (job === undefined || of === "null" || of === JSON.stringify(job)) && !read.includes(nameOf(files))
  );
}

/** The readers of a spool that live; what others have left is removed. */
export function liveReaders(folder: string): Reader[] {
  if (!statIfThere(folder)) return [];
  const found: Reader[] = [];
  for (const { name } of Deno.readDirSync(folder)) {
    if (!name.startsWith("reader.")) continue;
    const path = `${folder}/${name}`;
    const signAt = statIfThere(path)?.mtime?.getTime() ?? 0;
    if (Date.now() - signAt > longestSilence) removeIfThere(path);
    else found.push((readIfThere(path) ?? "").split("\n"));
  }
  return found;
}

const folderOf = (files: string) => files.slice(0, files.lastIndexOf("/"));
/** `SEQ.RUN` */
const nameOf = (files: string) => files.slice(files.lastIndexOf("/") + 1);
