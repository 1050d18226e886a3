/** Those cases of the store suite that take their time, on every driver. */

import { drivers } from "../helpers/drivers.ts";
import { casesFor } from "./suite/harness.ts";
import { largeCases } from "./suite/large.ts";

for (const { name, open, ignore } of drivers) largeCases(casesFor(name, open, ignore));
