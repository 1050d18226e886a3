/**
 * Exit statuses as Windows has them: whole numbers of 32 bits. Everywhere here they are signed, as `%errorlevel%` and
 * `$LASTEXITCODE` show them; other systems have those from 0 to 255 of them. Pure.
 */

/** The smallest status, and the largest in the spelling without a sign. */
export const [lowestStatus, highestStatus] = [-(2 ** 31), 2 ** 32 - 1];

/** The signed form: -1073741510 of 3221225786. */
export const signedStatus = (status: number): number => status | 0;

/** What a program was ended by, by its status without a sign. From [MS-ERREF] 2.3.1, the last two of the runtimes. */
const windowsNames = new Map<number, string>([
  [0x4000_0015, "fatal exit of the program"],
  [0x8000_0003, "breakpoint"],
  [0xc000_0005, "access violation"],
  [0xc000_0006, "error while reading a page"],
  [0xc000_0008, "invalid handle"],
  [0xc000_0017, "not enough memory"],
  [0xc000_001d, "illegal instruction"],
  [0xc000_0025, "exception that cannot be continued"],
  [0xc000_0026, "invalid exception disposition"],
  [0xc000_007b, "file that is not a program for this system"],
  [0xc000_008c, "array bounds exceeded"],
  [0xc000_008e, "floating-point division by zero"],
  [0xc000_0094, "integer division by zero"],
  [0xc000_0095, "integer overflow"],
  [0xc000_0096, "privileged instruction"],
  [0xc000_00fd, "stack overflow"],
  [0xc000_0135, "DLL not found"],
  [0xc000_0138, "ordinal not found in a DLL"],
  [0xc000_0139, "entry point not found in a DLL"],
  [0xc000_013a, "ended by Ctrl-C"],
  [0xc000_0142, "DLL initialization failed"],
  [0xc000_0374, "heap corruption"],
  [0xc000_0409, "stack buffer overrun or fail fast"],
  [0xc000_0417, "invalid argument to the C runtime"],
  [0xc000_0420, "assertion failed"],
  [0xe043_4352, ".NET exception"],
  [0xe06d_7363, "C++ exception"],
]);

/** The status with which `cmd` says that there is no such command. */
const notFound = 9009;

/** A status with what is known of it: `3`, `-1073741510 (0xC000013A, ended by Ctrl-C)`, `9009 (command not found)`. */
export function statusWords(status: number): string {
  if (status === notFound) return `${status} (command not found)`;
  const unsigned = status >>> 0;
  const name = windowsNames.get(unsigned);
  // Small negative numbers are a program's own; those that Windows makes are known by their digits in hexadecimal.
  if (name === undefined && !(unsigned >= 0x8000_0000 && unsigned < 0xffff_0000)) return String(status);
  const digits = `0x${unsigned.toString(16).toUpperCase().padStart(8, "0")}`;
  return `${status} (${digits}${name === undefined ? "" : `, ${name}`})`;
}
