/** Points in time as people write them: `2026-12-24T18:00` by the clock on the wall, `2026-12-24T18:00Z` in a zone. */

const pattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?)?(?: ?(Z|[+-]\d\d(?::?\d\d)?))?$/i;

/**
 * Reads a time as milliseconds since 1970; without a zone it is local, without an hour midnight. Undefined when the text
 * is no time, or none that is in the calendar.
 */
export function parseMoment(text: string): number | undefined {
  const match = pattern.exec(text.trim());
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((digits) => Number(digits ?? 0));
  const millisecond = Number((match[7] ?? "").padEnd(3, "0"));
  const offset = match[8] === undefined ? null : offsetOf(match[8]);
  if (year < 1970 || hour > 23 || minute > 59 || second > 59 || offset === undefined) return undefined;
  const isInCalendar = new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day && month >= 1 &&
    month <= 12;
  if (!isInCalendar) return undefined;
  return offset === null
    ? new Date(year, month - 1, day, hour, minute, second, millisecond).getTime()
    : Date.UTC(year, month - 1, day, hour, minute, second, millisecond) - offset;
}

/** Milliseconds by which a zone is ahead of UTC; undefined for more than a day. */
function offsetOf(zone: string): number | undefined {
  if (/^z$/i.test(zone)) return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3).replace(":", "") || 0)];
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}
