/**
 * The texts that make a shell run commands: pure functions, tried under dash, bash, busybox, mksh and ksh93.
 *
 * On POSIX systems a *runner*, one long-lived `/bin/sh` for every slot of a worker, reads a few lines for each command
 * from its standard input. It forks a subshell for the command, waits for it, and writes its exit status to the status
 * file and to its standard output. So
 * - the exit status is known, exactly, whether or not the worker is still there, also for a command that replaces its
 *   shell (`exec`), sets an EXIT trap of its own or ends by a signal;
 * - the fork of a small shell is cheaper than the start of a new process from Deno.
 *
 * The runner creates the status file exclusively (`set -C`) before it starts anything. Whoever recovers a job creates
 * the same file: the first decides whether the command runs, so it cannot start after it was given up.
 */

import { programOf, quote } from "../job/shell_words.ts";
import type { Invocation } from "./platform.ts";

/** A command as it is started for one run. */
export interface CommandSpec {
  command: string;
  /** Path of the run's files in the spool, to which `.out`, `.err` and `.status` are added. */
  files: string;
  cwd: string | null;
  env: Record<string, string>;
}

/**
 * The runner's first lines. It answers `ready START FORKS`: when it started, as the process table tells it, and `yes`
 * where a subshell is a process of its own (ksh93 only pretends).
 *
 * A signal sent to the whole group, as `kill 0` in a command does, must not end the runner before it has recorded the
 * command's status: it has a handler, which, unlike an ignored signal, subshells do not inherit.
 */
export function runnerPrelude(os: string): string {
  const isLinux = os === "linux" || os === "android";
  const start = isLinux
    ? `read -r queuectl_stat </proc/$$/stat; set -- \${queuectl_stat##*') '}; shift 19; queuectl_start=$1; set --`
    : `queuectl_start=$(ps -o lstart= -p $$ | sed -e 's/ *$//' -e 's/  */_/g')`;
  // Where the shell can read it by itself, no process has to be started for it.
  const subshell = isLinux
    ? `( read -r queuectl_stat </proc/self/stat; echo "\${queuectl_stat%% *}" )`
    : `(/bin/sh -c 'echo $PPID'; :)`;
  return `trap : TERM INT HUP
${start}
queuectl_subshell=$( ${subshell} )
if [ "$queuectl_subshell" = $$ ]; then queuectl_forks=no; else queuectl_forks=yes; fi
echo "ready $queuectl_start $queuectl_forks"
unset queuectl_stat queuectl_start queuectl_subshell queuectl_forks
`;
}

/**
 * Whether a command can tell the subshell of a runner from a shell of its own: it asks for its pid, which in a
 * subshell is the runner's, or reads commands from a file that may.
 */
function needsOwnShell(command: string): boolean {
  return /\$\$|\$\{\$|(^|[\s;&|({])(\.|source)\s/.test(command);
}

/**
 * The line that becomes the program of a command, as bash does with the only command of its line: that saves a fork.
 * Empty where a shell has something to do, or may know the word itself. Where there is no such program nothing happens,
 * unless the command can mean nothing else.
 */
function execLine(command: string, { forks, hasFunctions }: ShellTraits): string {
  const program = programOf(command);
  if (program === null) return "";
  const { word, isCertain } = program;
  if (isCertain) return `exec ${command}\n`;
  if (!forks || hasFunctions) return "";
  const isThere = word.includes("/")
    ? `[ -f ${word} ] && [ -x ${word} ]`
    : `command -v ${word} >/dev/null 2>&1`;
  return `${isThere} && exec ${command}\n`;
}

/** What is known of a runner's shell. */
export interface ShellTraits {
  /** Its subshells are processes. */
  forks: boolean;
  /** It may have got functions from its environment, as bash does. */
  hasFunctions: boolean;
}

/**
 * The lines that make a runner run one command. It answers `exit STATUS OUTPUT`, or `refused` when the status file could
 * not be created. OUTPUT is `printed`, `silent` (both files are empty: nobody needs to read them) or `unopened` (the
 * files could not be made, so the command did not start).
 */
export function runnerScript(
  spec: CommandSpec,
  startedLine: string,
  traits: ShellTraits,
): string {
  const files = quote(spec.files);
  const variables = Object.entries(spec.env).map(([name, value]) => `${name}=${quote(value)}`).join(" ");
  const command = quote(spec.command);
  // bash counts lines from the runner's first one; the others begin anew with every eval.
  const run = traits.forks && !needsOwnShell(spec.command)
    ? `[ -z "\${BASH_VERSION-}" ] || LINENO=0\neval ${command}`
    : `exec /bin/sh -c ${command}`;
  // ksh93 reports a signal as 256 + n, all others as 128 + n.
  return `set -C
if { echo ${quote(startedLine)} >${files}.status; } 2>/dev/null; then
set +C
( trap - TERM INT HUP
exec </dev/null >>${files}.out 2>>${files}.err
${spec.cwd === null ? "" : `cd ${quote(spec.cwd)} || exit 126`}
export ${variables}
${execLine(spec.command, traits)}${run} )
queuectl_status=$?
[ $queuectl_status -le 256 ] || queuectl_status=$((queuectl_status - 128))
echo "exit $queuectl_status" >>${files}.status
if [ ! -e ${files}.err ]; then echo "exit $queuectl_status unopened"
elif [ -s ${files}.out ] || [ -s ${files}.err ]; then echo "exit $queuectl_status printed"
else echo "exit $queuectl_status silent"
fi
else
set +C
echo refused
fi
`;
}

/**
 * Windows has no runner: each command gets a `cmd.exe` that redirects, starts the command's own `cmd.exe` and writes
 * its exit status. Delayed expansion (`/v:on`) puts the texts in after the line was read, so nothing in them can be
 * taken for syntax of the outer one; they travel in the environment. The caller creates the status file.
 */
export function windowsInvocation(spec: CommandSpec): Invocation & { env: Record<string, string> } {
  return {
    command: "cmd.exe",
    args: [
      "/v:on",
      "/d",
      "/s",
      "/c",
      `"cmd.exe /v:off /d /s /c "!QUEUECTL_COMMAND!" <nul >>"!QUEUECTL_FILES!.out" 2>>"!QUEUECTL_FILES!.err" ` +
      `& echo exit !errorlevel!>>"!QUEUECTL_FILES!.status""`,
    ],
    env: { ...spec.env, QUEUECTL_COMMAND: spec.command, QUEUECTL_FILES: spec.files },
  };
}
