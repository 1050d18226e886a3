/** The schema as steps that only go forward. One that has been released is never changed. Its invariants are in schema.ts. */

const counters = `
  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO counters VALUES ('pending', 0), ('processing', 0), ('completed', 0), ('failed', 0), ('dead', 0),
    ('cancelled', 0), ('died', 0);
  CREATE TRIGGER jobs_inserted AFTER INSERT ON jobs BEGIN
    UPDATE counters SET value = value + 1 WHERE name = NEW.state;
  END;
  CREATE TRIGGER jobs_deleted AFTER DELETE ON jobs BEGIN
    UPDATE counters SET value = value - 1 WHERE name = OLD.state;
  END;
  CREATE TRIGGER jobs_moved AFTER UPDATE OF state ON jobs WHEN NEW.state <> OLD.state BEGIN
    UPDATE counters SET value = value - 1 WHERE name = OLD.state;
    UPDATE counters SET value = value + 1 WHERE name = NEW.state;
  END;
  CREATE TRIGGER jobs_died AFTER UPDATE OF state ON jobs WHEN NEW.state = 'dead' BEGIN
    UPDATE counters SET value = value + 1 WHERE name = 'died';
  END;
`;

const first = `
  CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    command TEXT NOT NULL,
    state TEXT NOT NULL,
    available INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    max_retries INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    next_attempt_at INTEGER,
    started_at INTEGER,
    claim INTEGER NOT NULL DEFAULT 0,
    run INTEGER NOT NULL DEFAULT 0,
    worker INTEGER,
    cancel_requested INTEGER,
    timeout INTEGER,
    base_backoff REAL,
    cwd TEXT,
    env TEXT,
    last_error TEXT
  ) STRICT;
  CREATE INDEX jobs_available ON jobs (priority DESC, seq) WHERE available = 1;
  CREATE INDEX jobs_waiting ON jobs (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
  CREATE INDEX jobs_state ON jobs (state);

  CREATE TABLE attempts (
    job INTEGER NOT NULL,
    run INTEGER NOT NULL,
    number INTEGER NOT NULL,
    worker TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    exit_code INTEGER,
    signal TEXT,
    output TEXT,
    error_output TEXT,
    PRIMARY KEY (job, run)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE processes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    role TEXT NOT NULL,
    manager INTEGER,
    number INTEGER NOT NULL,
    concurrency INTEGER NOT NULL,
    host TEXT NOT NULL,
    boot TEXT NOT NULL,
    pid INTEGER NOT NULL,
    start TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    heartbeat_at INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    stop_grace INTEGER
  ) STRICT;

  CREATE TABLE IF NOT EXISTS config (key TEXT PRIMARY KEY, value TEXT NOT NULL);
${counters}`;

// An index on the state, and triggers for the counters, took half of the time of every claim and result. Now an index
// holds only jobs of the few states that are looked for, none is touched by a change of another column, and whoever
// changes states counts them (counters.ts).
const second = `
  ALTER TABLE jobs ADD COLUMN set_aside INTEGER;
  UPDATE jobs SET set_aside = 1 WHERE state IN ('dead', 'cancelled');
  DROP INDEX jobs_state;
  CREATE INDEX jobs_worker ON jobs (worker) WHERE worker IS NOT NULL;
  CREATE INDEX jobs_set_aside ON jobs (state, seq) WHERE set_aside IS NOT NULL;
  DROP TRIGGER jobs_inserted;
  DROP TRIGGER jobs_deleted;
  DROP TRIGGER jobs_moved;
  DROP TRIGGER jobs_died;
`;

// Every page that a commit touches is written to the log, and that is most of what a commit costs. With one index for
// what can be claimed and what runs, the entry of a claimed job stays on its page. And the key of an attempt is a row
// id, so that a new one is put at the end of the table: without row ids, every other one moves rows between pages.
const third = `
  DROP INDEX jobs_available;
  DROP INDEX jobs_worker;
  CREATE INDEX jobs_active ON jobs (worker DESC, priority DESC, seq) WHERE available = 1 OR worker IS NOT NULL;
  ALTER TABLE attempts RENAME TO old_attempts;
  CREATE TABLE attempts (
    key INTEGER PRIMARY KEY,
    job INTEGER AS (key >> 28) VIRTUAL,
    run INTEGER AS (key & 268435455) VIRTUAL,
    number INTEGER NOT NULL,
    worker TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    exit_code INTEGER,
    signal TEXT,
    output TEXT,
    error_output TEXT
  ) STRICT;
  INSERT INTO attempts (key, number, worker, started_at, ended_at, outcome, exit_code, signal, output, error_output)
    SELECT job << 28 | run, number, worker, started_at, ended_at, outcome, exit_code, signal, output,
      error_output
    FROM old_attempts ORDER BY job, run;
  DROP TABLE old_attempts;
`;

// A move to another database is known in both by its id: see ../move.ts.
const moves = `
  CREATE TABLE moves (
    id TEXT PRIMARY KEY,
    direction TEXT NOT NULL,
    place TEXT,
    location TEXT
  ) STRICT, WITHOUT ROWID;
`;

// What is seldom used takes a byte or none, and jobs of the queue "default" are in no other index than before. One that may
// be claimed is found by its queue, which may be paused or full.
const queues = `
  CREATE TABLE queues (
    name TEXT PRIMARY KEY,
    paused INTEGER NOT NULL DEFAULT 0,
    concurrency INTEGER,
    rate INTEGER,
    rate_period INTEGER,
    max_retries INTEGER,
    timeout INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX queues_limited ON queues (name) WHERE paused = 1 OR concurrency IS NOT NULL OR rate IS NOT NULL;
  INSERT INTO queues (name) VALUES (''), ('default');
  CREATE TABLE queue_counters (
    queue TEXT NOT NULL,
    name TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (queue, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE starts (
    queue TEXT NOT NULL,
    at INTEGER NOT NULL,
    jobs INTEGER NOT NULL,
    PRIMARY KEY (queue, at)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE tags (tag TEXT NOT NULL, job INTEGER NOT NULL, PRIMARY KEY (tag, job)) STRICT, WITHOUT ROWID;
  CREATE TABLE dependencies (
    parent INTEGER NOT NULL,
    child INTEGER NOT NULL,
    kind TEXT NOT NULL,
    open INTEGER NOT NULL,
    broken INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (parent, child)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX dependencies_child ON dependencies (child);
  ALTER TABLE jobs ADD COLUMN queue TEXT NOT NULL DEFAULT 'default';
  ALTER TABLE jobs ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE jobs ADD COLUMN blocked INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE jobs ADD COLUMN tags TEXT;
  ALTER TABLE jobs ADD COLUMN unique_key TEXT;
  ALTER TABLE jobs ADD COLUMN retry_rules TEXT;
  ALTER TABLE processes ADD COLUMN queues TEXT;
  CREATE TABLE signals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job INTEGER NOT NULL,
    run INTEGER NOT NULL,
    name TEXT NOT NULL
  ) STRICT;
  DROP INDEX jobs_active;
  CREATE INDEX jobs_active ON jobs (worker DESC, queue, priority DESC, seq) WHERE available = 1 OR worker IS NOT NULL;
  CREATE INDEX jobs_held ON jobs (seq) WHERE held = 1;
  CREATE INDEX jobs_blocked ON jobs (seq) WHERE blocked > 0;
  CREATE INDEX jobs_queue ON jobs (queue, seq) WHERE queue <> 'default';
  CREATE UNIQUE INDEX jobs_unique ON jobs (unique_key)
    WHERE unique_key IS NOT NULL AND state IN ('pending', 'processing', 'failed');
`;

// What runs is stopped where that is the number of its run: so whoever ends a run need not know of it.
const comebacks = `
  ALTER TABLE processes ADD COLUMN pace REAL;
  ALTER TABLE jobs ADD COLUMN stopped_run INTEGER;
  ALTER TABLE jobs ADD COLUMN held_before INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE jobs ADD COLUMN due_before INTEGER;
`;

/** Steps that made what is gone. */
const gone = "";

// What earlier steps made for lists.
const fewerIndexes = `
  DROP INDEX IF EXISTS jobs_priority;
  DROP INDEX IF EXISTS jobs_attempts;
  DROP INDEX IF EXISTS jobs_scheduled;
  DROP TABLE IF EXISTS recency;
  DROP TABLE IF EXISTS text_signatures;
  DROP TABLE IF EXISTS id_signatures;
`;

// A job that has ended may have open dependencies all the same: it does not wait for them.
const openBlocked = `
  DROP INDEX jobs_blocked;
  CREATE INDEX jobs_blocked ON jobs (seq) WHERE blocked > 0 AND state IN ('pending', 'failed');
`;

// See place.ts.
const places = `
  CREATE TABLE places (place TEXT PRIMARY KEY) STRICT;
`;

// For commands that ask for a later try.
const postponed = "ALTER TABLE jobs ADD COLUMN postponed INTEGER NOT NULL DEFAULT 0;";

/** The steps, oldest first. */
export const migrations: readonly string[] = [
  first,
  second,
  third,
  moves,
  queues,
  comebacks,
  gone,
  openBlocked,
  gone,
  fewerIndexes,
  places,
  postponed,
];
