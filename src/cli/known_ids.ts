import { QueuectlError } from "../errors.ts";
import { didYouMean } from "../nearest.ts";
import { noJob } from "../store/refusals.ts";
import type { Store } from "../store/store.ts";

/** How many of the newest jobs are looked through for an id that is like the one that was given. */
const looked = 1000;
/** Letters that may differ: ids that were made at one time have most of theirs in common. */
const mostMistakes = 2;

/** Runs `action` with ids that somebody typed. Where one is unknown, the error names the one that may have been meant. */
export async function withKnownIds<T>(
  store: Pick<Store, "list">,
  ids: readonly string[],
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const unknown = ids.find((id) => error instanceof QueuectlError && error.message === noJob(id).message);
    if (unknown === undefined) throw error;
    const known = (await store.list({ limit: looked })).map(({ id }) => id).reverse();
    throw new QueuectlError(
      "not_found",
      `${noJob(unknown).message}${didYouMean(unknown, known, mostMistakes)}`,
      { cause: error },
    );
  }
}
