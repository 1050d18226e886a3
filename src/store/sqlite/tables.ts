/** The tables of a new file, whose invariants are in schema.ts. */

/**
 * Every page that a commit touches is written to the log, and that is most of what a commit costs. So:
 * - what is seldom used comes last, and takes a byte or none;
 * - an index holds only jobs of the few states that are looked for, and none is touched by a change of another column; jobs
 *   of the queue "default" are in no index more than those of a program without queues;
 * - whoever changes states counts them (counters.ts), in the place of triggers;
 * - one index has what can be claimed and running jobs: the entry of a claimed job stays on its page;
 * - the key of an attempt is a row id: a new one is put at the end of the table.
 */
export const tables = `
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
    last_error TEXT,
    set_aside INTEGER,
    queue TEXT NOT NULL DEFAULT 'default',
    held INTEGER NOT NULL DEFAULT 0,
    blocked INTEGER NOT NULL DEFAULT 0,
    tags TEXT,
    unique_key TEXT,
    retry_rules TEXT,
    stopped_run INTEGER,
    held_before INTEGER NOT NULL DEFAULT 0,
    due_before INTEGER,
    postponed INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX jobs_active ON jobs (worker DESC, queue, priority DESC, seq) WHERE available = 1 OR worker IS NOT NULL;
  CREATE INDEX jobs_waiting ON jobs (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
  CREATE INDEX jobs_set_aside ON jobs (state, seq) WHERE set_aside IS NOT NULL;
  CREATE INDEX jobs_held ON jobs (seq) WHERE held = 1;
  CREATE INDEX jobs_blocked ON jobs (seq) WHERE blocked > 0 AND state IN ('pending', 'failed');
  CREATE INDEX jobs_queue ON jobs (queue, seq) WHERE queue <> 'default';
  CREATE UNIQUE INDEX jobs_unique ON jobs (unique_key)
    WHERE unique_key IS NOT NULL AND state IN ('pending', 'processing', 'failed');

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
  CREATE TABLE signals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job INTEGER NOT NULL,
    run INTEGER NOT NULL,
    name TEXT NOT NULL
  ) STRICT;

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
  CREATE TABLE starts (
    queue TEXT NOT NULL,
    at INTEGER NOT NULL,
    jobs INTEGER NOT NULL,
    PRIMARY KEY (queue, at)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO counters VALUES ('pending', 0), ('processing', 0), ('completed', 0), ('failed', 0), ('dead', 0),
    ('cancelled', 0), ('died', 0);
  CREATE TABLE queue_counters (
    queue TEXT NOT NULL,
    name TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (queue, name)
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
    stop_grace INTEGER,
    queues TEXT,
    pace REAL
  ) STRICT;
  -- The Python program has one too, which is kept.
  CREATE TABLE IF NOT EXISTS config (key TEXT PRIMARY KEY, value TEXT NOT NULL);
  -- A move to another database is known in both by its id: see ../transfer.ts.
  CREATE TABLE moves (
    id TEXT PRIMARY KEY,
    direction TEXT NOT NULL,
    place TEXT,
    location TEXT
  ) STRICT, WITHOUT ROWID;
  -- see file_identity.ts.
  CREATE TABLE places (place TEXT PRIMARY KEY) STRICT;
`;
