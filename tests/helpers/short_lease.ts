/**
 * Milliseconds of a lease, for tests that wait for its end. Not the shortest that can be set: a worker that cannot renew
 * its lease for two thirds of it is right to end what it runs, and a busy machine may keep one from that for seconds.
 */
export const shortLease = 10_000;
