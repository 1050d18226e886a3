/** What every store does, whichever engine is under it: the same cases for each driver. */

import { cancelCases } from "./suite/cancel.ts";
import { claimCases } from "./suite/claim.ts";
import { deadLetterCases } from "./suite/dead_letters.ts";
import { enqueueCases } from "./suite/enqueue.ts";
import { finishCases } from "./suite/finish.ts";
import { casesFor, type OpenDatabase } from "./suite/harness.ts";
import { dependencyCases } from "./suite/dependencies.ts";
import { filterCases } from "./suite/filters.ts";
import { editCases } from "./suite/edit.ts";
import { holdCases } from "./suite/hold.ts";
import { hostCases } from "./suite/hosts.ts";
import { intakeCases } from "./suite/intake.ts";
import { listCases } from "./suite/list.ts";
import { processCases } from "./suite/processes.ts";
import { partCases } from "./suite/parts.ts";
import { progressCases } from "./suite/progress.ts";
import { queryCases } from "./suite/queries.ts";
import { queueCases } from "./suite/queues.ts";
import { removeCases } from "./suite/remove.ts";
import { retryCases } from "./suite/retry.ts";
import { runningOutputCases } from "./suite/running_output.ts";
import { searchCases } from "./suite/search.ts";
import { signalCases } from "./suite/signal.ts";
import { uniqueCases } from "./suite/unique.ts";
import { takeOverCases } from "./suite/take_over.ts";

/** Registers every case for a driver; `open` makes an empty database for each. With `ignore` they are only counted. */
export function storeSuite(driver: string, open: OpenDatabase, ignore = false): void {
  const test = casesFor(driver, open, ignore);
  enqueueCases(test);
  intakeCases(test);
  uniqueCases(test);
  claimCases(test);
  finishCases(test);
  takeOverCases(test);
  processCases(test);
  cancelCases(test);
  deadLetterCases(test);
  queryCases(test);
  listCases(test);
  filterCases(test);
  searchCases(test);
  retryCases(test);
  removeCases(test);
  editCases(test);
  dependencyCases(test);
  partCases(test);
  holdCases(test);
  signalCases(test);
  progressCases(test);
  queueCases(test);
  hostCases(test);
  runningOutputCases(test);
}
