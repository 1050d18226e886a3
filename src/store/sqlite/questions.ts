/** What is asked about jobs: loaded when it is asked. */

export { detail, find, progress, ranAfter, runAfter, upcoming } from "./progress.ts";
export {
  attempts,
  countOpen,
  counts,
  deaths,
  findRun,
  keptBack,
  lastOutput,
  queueNames,
  tagNames,
} from "./queries.ts";
