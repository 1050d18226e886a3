/** The key of an attempt, which is its job and its run in one number. */

/** Bits of an attempt's key that are the run, as the schema has them: 268 million runs of one job, and 34 thousand million jobs. */
const runBits = 28;

/** The key of an attempt, from SQL expressions for its job and its run. */
export const attemptKey = (job: string, run: string): string => `(${job} << ${runBits} | ${run})`;

/** The condition on `key` that holds for the attempts of a job, which is given as an SQL expression. */
export const attemptsOf = (job: string): string =>
  `key >= (${job} << ${runBits}) AND key < (${job} + 1 << ${runBits})`;
