/** A database as the Python program leaves it behind: its own statements, a job in every state, times in all forms. */

import { DatabaseSync } from "node:sqlite";

const jobsTable = `CREATE TABLE jobs (
        id TEXT PRIMARY KEY,
        command TEXT NOT NULL,
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        max_retries INTEGER NOT NULL DEFAULT 3,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        next_attempt_at TEXT,
        last_error TEXT,
        output TEXT
    )`;
const configTable = `CREATE TABLE config (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    )`;

/** Rows of `jobs`, on purpose not in the order of their age. */
export const pythonRows: readonly string[] = [
  `('pending-2', 'echo two', 'pending', 0, 1, '2026-11-24T02:11:54.677288Z', '2026-11-24T02:11:54.677288Z',
    NULL, NULL, NULL)`,
  `('done-1', 'echo Hello QueueCTL', 'completed', 1, 3, '2026-11-24T02:11:48.063306Z',
    '2026-11-24T02:11:48.594764+00:00', NULL, NULL, 'Hello QueueCTL')`,
  `('failing-1', 'sh -c "echo out; echo err >&2; exit 3"', 'failed', 2, 5, '2026-11-24T02:11:48.279301Z',
    '2026-11-24T02:11:50.638194+00:00', '2026-11-24T02:31:54.638152+00:00', 'err', 'out')`,
  `('dead-1', 'nonexistent_command', 'dead', 1, 0, '2026-11-24T02:11:48.169283Z',
    '2026-11-24T02:11:48.602841+00:00', NULL, '/bin/sh: 1: nonexistent_command: not found', '')`,
  `('retried-1', 'echo ''it''''s'' "retried"', 'pending', 0, 3, '2026-11-24T02:11:49.500000Z',
    '2026-11-24 02:11:54', NULL, NULL, '')`,
  `('ba25c978-7523-43bd-9a48-e16e61515bdf', 'printf "unicode: é中"', 'completed', 1, 3,
    '2026-11-24T02:11:48.385841Z', '2026-11-24T02:11:48.622149+00:00', NULL, NULL, 'unicode: é中')`,
  `('running-1', 'sleep 30', 'processing', 0, 3, '2026-11-24T02:11:51.772599Z',
    '2026-11-24T02:11:51.967153+00:00', NULL, NULL, NULL)`,
  `('pending-1', 'echo pending', 'pending', 0, 3, '2026-11-24T02:11:54.522659Z', '2026-11-24T02:11:54.522659Z',
    NULL, NULL, NULL)`,
];

/** Makes the file, with those rows of `jobs` and one setting. */
export function makePythonDatabase(file: string, rows: readonly string[] = pythonRows): void {
  using database = new DatabaseSync(file);
  database.exec(`${jobsTable}; ${configTable}; INSERT INTO config VALUES ('max_retries', '3')`);
  for (const row of rows) database.exec(`INSERT INTO jobs VALUES ${row}`);
}
