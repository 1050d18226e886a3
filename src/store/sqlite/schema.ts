/**
 * What holds in every file, whose tables are in tables.ts; `PRAGMA user_version` is the number of its schema. Apart from
 * them, because hardly any start needs those.
 *
 * Invariants:
 * - `available` is 1 exactly for jobs that may be claimed now, so that a claim reads no row it cannot take.
 * - `set_aside` is 1 exactly for dead and cancelled jobs, NULL for all others.
 * - `next_attempt_at` is set exactly while a pending or failed job waits for a time; when it is due, a claim makes the job
 *   available, unless it is held or blocked.
 * - `held` is 1 only for pending and failed jobs that somebody holds; `blocked` is the number of open dependencies of a job.
 * - `held_before` and `due_before` are what `held` and `next_attempt_at` were when a job was cancelled because of another
 *   one: set only for cancelled jobs, and in force again when they come back.
 * - every `queue` of a job has a row in `queues`; the row with an empty name is all queues together, and has no jobs.
 * - `worker` is set exactly while the state is `processing`; `cancel_requested` only then.
 * - `counters` has the number of jobs in every state, and in `died` how many ever became dead; `queue_counters` has those
 *   of every queue but "default", which has what is left.
 * - a row of `tags` says again what is in `jobs.tags`, to be found by the tag.
 * - a row of `dependencies` says that a child waits, or has waited, for its parent: `open` is 1 exactly until the parent has
 *   ended, and `broken` is 1 where the child was cancelled because the parent did not complete.
 * - a row of `starts` is a number of commands of a queue with a rate that have begun at one moment (`at`); one whose `at` is
 *   below 0 is the run of the job with that key, of which nobody has told yet that its command has begun.
 * - a row of `signals` is to be delivered to the command of a run that goes on.
 * - `stopped_run` is the run of a job whose command was last sent SIGSTOP and not SIGCONT since; a later run has another number.
 * - `postponed` is the number of runs in a row, up to now, that have asked for a later try (exit status 75).
 * - a row of `attempts` is a run that ended; the run that goes on is in `jobs`.
 * - the key of an attempt is its job and its run in one number: see attempt_key.ts.
 * - the row of `places` says where the file was when somebody last looked whether it is mounted alone: see file_identity.ts.
 * - a row of `moves` is a move that has arrived here (`in`), or one that was begun here and has not ended (`out`): as long
 *   as there is one, triggers of transfer_lock.ts refuse every change.
 */

/** Holds for the jobs that may be claimed, none of which has a worker: by the condition of the index, which has them all. */
export const claimable = "(available = 1 OR worker IS NOT NULL) AND worker IS NULL";

/** Holds for the jobs that wait for others, as the condition of their index. */
export const blocked = "blocked > 0 AND state IN ('pending', 'failed')";

/** What the triggers of a queue that is being moved say, before the place to which it moves; see transfer_lock.ts. */
export const sealMark = "queuectl: moving to ";

/** Marks a file as ours (`PRAGMA application_id`): "quec" in ASCII. */
export const applicationId = 0x71756563;

/** The number of the schema; lower ones were never released. */
export const schemaVersion = 12;
