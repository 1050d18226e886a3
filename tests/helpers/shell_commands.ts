/**
 * Commands for tests, in the words of the shell that runs them: `/bin/sh`, or `cmd.exe` with the programs of
 * tests/helpers/windows_programs/, which are `true`, `false`, `touch FILE`, `sleep SECONDS` and `until FILE`. Those and
 * `echo`, `exit` and `>>FILE` without a blank before it are the same on both.
 */

import { fileURLToPath } from "node:url";

export const isWindows = Deno.build.os === "windows";

/** What programs need in their environment for these commands, beside what they inherit. */
export function commandVariables(): Record<string, string> {
  if (!isWindows) return {};
  return { PATH: `${fileURLToPath(import.meta.resolve("./windows_programs"))};${Deno.env.get("PATH")}` };
}

/** One after another, whatever becomes of each. cmd.exe takes a blank before `&` for a part of what is echoed. */
export const steps = (...commands: string[]): string => commands.join(isWindows ? "&" : "; ");

/** Waits for a file in its folder, but not longer than that is there: the test may have failed. */
export const untilFile = (name: string): string =>
  isWindows ? `until ${name}` : `until [ -e ${name} ] || [ ! -e "$PWD" ]; do sleep 0.05; done`;

/** The value of a variable, in what is echoed. */
export const variable = (name: string): string => isWindows ? `%${name}%` : `"$${name}"`;

/** Adds a line to a file. */
export const note = (text: string, file: string): string =>
  isWindows ? `(echo ${text})>>${file}` : `echo ${text} >>${file}`;

/** Prints a line on standard error. */
export const complain = (text: string): string => isWindows ? `(echo ${text})>&2` : `echo ${text} >&2`;

/** Prints a text without the end of a line. */
export const unended = (text: string): string => isWindows ? `<nul set /p=${text}` : `printf %s ${text}`;

/** Ends with 0 where a variable has that value, and else with 1. */
export const onlyWhere = (name: string, value: string): string =>
  isWindows ? `if not "%${name}%"=="${value}" exit 1` : `[ "$${name}" = ${value} ]`;

/** Runs on beside what comes after it. */
export const beside = (command: string): string =>
  isWindows ? `start /b cmd /d /s /c "${command}"` : `(${command}) &`;

/** A command that runs until it is ended, with children of it. */
export const endless: string = isWindows ? steps(beside("sleep 99"), "sleep 99") : "sleep 99 & sleep 99";

/** What commands print of these lines. */
export const printed = (...texts: string[]): string =>
  texts.map((text) => text + (isWindows ? "\r\n" : "\n")).join("");
