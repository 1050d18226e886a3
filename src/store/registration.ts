/** Managers and workers as they announce themselves to a store, and as it knows them: types only. */

/** Tells one process from every other that ever was: a pid alone is used again. */
export interface ProcessIdentity {
  /** The host, and on Linux the pid namespace: processes of another one cannot be seen from here. */
  host: string;
  /** The boot of that host; a process of another boot is gone. */
  boot: string;
  pid: number;
  /** When the process started, in the operating system's own words; only compared for equality. */
  start: string;
}

export type Role = "manager" | "worker";

/** A process that announces itself to the store. */
export interface Registration {
  role: Role;
  /** The registration of the manager that started this worker; null for a manager. */
  manager: number | null;
  /** `Worker-N` of that manager; for a manager the number of its workers. */
  number: number;
  /** Commands a worker runs side by side. */
  concurrency: number;
  /** The queues whose jobs it takes; null, or nothing, where it takes all. */
  queues?: readonly string[] | null;
  identity: ProcessIdentity;
  /** Its earlier registration, when that was forgotten while it was silent, and the same id is to be used on. */
  id?: number;
  /** Milliseconds after which a process that no longer renews its lease is taken for gone. */
  lease: number;
}

/** What was asked of a process from outside; `grace` is the milliseconds that running commands are given. */
export interface StopRequest {
  grace: number;
}

/** A process as the store knows it. */
export interface RegisteredProcess extends Omit<Registration, "lease" | "id"> {
  id: number;
  startedAt: number;
  heartbeatAt: number;
  /** Milliseconds since its last heartbeat, by the store's clock: that of this host may be another. */
  silentFor: number;
  /** Whether its lease has run out by the store's clock. */
  expired: boolean;
  stop: StopRequest | null;
  /** Jobs that it has finished a minute, by its last heartbeat; null before that, and of a manager. */
  pace: number | null;
  /** Ids of the jobs it runs, oldest first. */
  running: string[];
}
