import assert from "node:assert/strict";
import { type Progress, progressText } from "../../src/cli/progress_line.ts";

Deno.test("progress is a bar where the end is known", () => {
  const cases: Array<[Progress, string]> = [
    [{ jobs: 1, share: null }, "1 job read"],
    [{ jobs: 1200, share: null }, "1200 jobs read"],
    [{ jobs: 0, share: 0 }, "[                    ]   0 %  0 jobs read"],
    [{ jobs: 50, share: 0.499 }, "[#########           ]  49 %  50 jobs read"],
    [{ jobs: 100, share: 1 }, "[####################] 100 %  100 jobs read"],
    // The file has grown meanwhile.
    [{ jobs: 100, share: 1.5 }, "[####################] 100 %  100 jobs read"],
  ];
  for (const [progress, text] of cases) assert.equal(progressText(progress), text);
});
