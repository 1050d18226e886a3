import assert from "node:assert/strict";
import { parseMoment } from "../src/base/moment.ts";

Deno.test("a time with a zone is that moment", () => {
  const cases: Array<[string, number]> = [
    ["2026-12-24T18:00Z", Date.UTC(2026, 11, 24, 18)],
    ["2026-12-24t18:00:05.5z", Date.UTC(2026, 11, 24, 18, 0, 5, 500)],
    ["2026-12-24 18:00 +01:00", Date.UTC(2026, 11, 24, 17)],
    ["2026-12-24T18:00-0530", Date.UTC(2026, 11, 24, 23, 30)],
    ["2026-12-24T18:00+02", Date.UTC(2026, 11, 24, 16)],
    ["2024-02-29Z", Date.UTC(2024, 1, 29)],
    [" 1970-01-01T00:00Z ", 0],
  ];
  for (const [text, expected] of cases) assert.equal(parseMoment(text), expected, text);
});

Deno.test("a time without a zone is local", () => {
  const cases: Array<[string, Date]> = [
    ["2026-12-24T18:00", new Date(2026, 11, 24, 18)],
    ["2026-07-01 06:30:15", new Date(2026, 6, 1, 6, 30, 15)],
    ["2026-12-24", new Date(2026, 11, 24)],
  ];
  for (const [text, expected] of cases) assert.equal(parseMoment(text), expected.getTime(), text);
});

Deno.test("what is no time is not taken for one", () => {
  const texts = [
    ...[
      "",
      "soon",
      "18:00",
      "2026",
      "2026-12",
      "20261224",
      "2026-13-01",
      "2026-00-01",
      "2026-02-29",
      "2026-04-31",
    ],
    ...["2026-12-24T24:00", "2026-12-24T18:60", "2026-12-24T18:00:60", "2026-12-24T18", "2026-12-24T18:00+1"],
    ...[
      "2026-12-24T18:00+24:00",
      "2026-12-24T18:00+01:60",
      "1969-12-31",
      "2026-12-24T18:00 CET",
      "2026-12-24X18:00",
    ],
    ...["2026-12-24T", "12/24/2026", "2026-12-2", "+002026-12-24"],
  ];
  for (const text of texts) assert.equal(parseMoment(text), undefined, text);
});
