import assert from "node:assert/strict";
import { openProgress, type Progress, progressText } from "../../src/cli/output/progress_line.ts";

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

Deno.test("the line is changed now and then, and taken away in the end; where none is shown nothing is written", () => {
  let [now, written] = [0, ""];
  const write = (text: string) => void (written += text);
  for (const isShown of [true, false]) {
    written = "";
    {
      using progress = openProgress(isShown, write, () => now);
      for (let jobs = 1; jobs <= 5; jobs++) {
        now += 100;
        progress.show({ jobs, share: null });
      }
    }
    assert.equal(written, isShown ? "\r\x1b[K2 jobs read\r\x1b[K4 jobs read\r\x1b[K" : "");
  }
  written = "";
  openProgress(true, write, () => now)[Symbol.dispose]();
  assert.equal(written, "", "what was quick shows nothing");
});
