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

import { programOf, quote } from "../../job/shell_words.ts";
import { plainTimes } from "../host/platform.ts";

/** A command as it is started for one run. */
export interface CommandSpec {
  command: string;
  /** Path of the run's files in the spool, to which `.out`, `.err` and `.status` are added. */
  files: string;
  cwd: string | null;
  env: Record<string, string>;
}

/**
 * Closes what the worker has inherited beyond the standard streams, such as the file of a lock: commands must not hold it.
 * Answers `WORD closed`. The shell may have begun anew by then, so nothing else may be in its input: dash and busybox cannot
 * name a descriptor above 9, so where there are such, bash closes them, if it is there, and becomes /bin/sh again.
 */
export function closingScript(word: string): string {
  const more = "/dev/fd/[1-9][0-9]*";
  const closeMore = `for fd in ${more}; do [ ! -e "$fd" ] || eval "exec \${fd##*/}>&-"; done`;
  return `{ exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
for queuectl_fd in ${more}; do
[ ! -e "$queuectl_fd" ] || ! command -v bash >/dev/null ||
exec bash -c '${closeMore}; echo "$0 closed"; exec /bin/sh' "${word}"
done
unset queuectl_fd
echo "${word} closed"
}
`;
}

/**
 * The runner's first lines. It answers `WORD ready START FORKS SHELL`: when it started, as the process table tells it, `yes`
 * where a subshell is a process of its own (ksh93 only pretends), and whether it is `bash` or another.
 *
 * A signal sent to the whole group, as `kill 0` in a command does, must not end the runner before it has recorded the
 * command's status: it has a handler, which, unlike an ignored signal, subshells do not inherit.
 */
export function runnerPrelude(os: string, word: string): string {
  const isLinux = os === "linux" || os === "android";
  const start = isLinux
    ? `read -r queuectl_stat </proc/$$/stat; set -- \${queuectl_stat##*') '}; shift 19; queuectl_start=$1; set --`
    : `queuectl_start=$(${plainTimes} ps -o lstart= -p $$ | sed -e 's/ *$//' -e 's/  */_/g')`;
  // Where the shell can read it by itself, no process has to be started for it.
  const subshell = isLinux
    ? `( read -r queuectl_stat </proc/self/stat; echo "\${queuectl_stat%% *}" )`
    : `(/bin/sh -c 'echo $PPID'; :)`;
  // Commands are the same user's, who could open the pipes by their names in /proc. Nobody else has to.
  const close = isLinux
    ? "[ -p /proc/$$/fd/0 ] && [ -p /proc/$$/fd/1 ] && chmod 0 /proc/$$/fd/0 /proc/$$/fd/1\n"
    : "";
  return `trap : TERM INT HUP
${start}
queuectl_subshell=$( ${subshell} )
if [ "$queuectl_subshell" = $$ ]; then queuectl_forks=no; else queuectl_forks=yes; fi
echo "${word} ready $queuectl_start $queuectl_forks \${BASH_VERSION:+bash}"
unset queuectl_stat queuectl_start queuectl_subshell queuectl_forks
${close}`;
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
function execLine(command: string, { forks, hasFunctions, lostVariables }: ShellTraits): string {
  const program = programOf(command);
  if (program === null) return "";
  const { word, isCertain } = program;
  const exec = lostVariables.length === 0 || word.includes("=")
    ? "exec"
    : ["exec env", ...lostVariables].join(" ");
  if (isCertain) return `${exec} ${command}\n`;
  if (!forks || hasFunctions) return "";
  const isThere = word.includes("/")
    ? `[ -f ${word} ] && [ -x ${word} ]`
    : `command -v ${word} >/dev/null 2>&1`;
  return `${isThere} && ${exec} ${command}\n`;
}

/** What is known of a runner's shell. */
export interface ShellTraits {
  /** Its subshells are processes. */
  forks: boolean;
  /** It may have got functions from its environment, as bash does. */
  hasFunctions: boolean;
  /** Quoted `NAME=VALUE` of what it does not pass on, as dash does with names that it cannot have itself. */
  lostVariables: readonly string[];
}

/**
 * The lines that make a runner run one command. It answers `WORD exit STATUS OUTPUT`, or `WORD refused` when the status file
 * could not be created. OUTPUT is `printed`, `silent` (both files are empty: nobody needs to read them) or `unopened` (the
 * files could not be made, so the command did not start: a shell ends with 1 or 2 then, and the status file is still there,
 * unlike where somebody has removed what was there).
 *
 * By the word an answer is known from what a command may write into the same pipe. It is in the text of a compound command,
 * which a shell has read to its end before it begins: in no variable, argument or file, and no more in the pipe.
 */
export function runnerScript(
  spec: CommandSpec,
  startedLine: string,
  traits: ShellTraits,
  word: string,
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
queuectl_unopened=
[ -e ${files}.err ] || [ ! -e ${files}.status ] || [ $queuectl_status -gt 2 ] || queuectl_unopened=yes
echo "exit $queuectl_status" >>${files}.status
if [ "$queuectl_unopened" ]; then echo "${word} exit $queuectl_status unopened"
elif [ -s ${files}.out ] || [ -s ${files}.err ]; then echo "${word} exit $queuectl_status printed"
else echo "${word} exit $queuectl_status silent"
fi
else
set +C
echo "${word} refused"
fi
`;
}

/**
 * What is behind the word in a line from a runner, in parts; undefined where the word is not. Before it there may be what a
 * command has written without an end of its line.
 */
export function answerIn(line: string, word: string): string[] | undefined {
  const place = line.indexOf(`${word} `);
  return place < 0 ? undefined : line.slice(place + word.length + 1).split(" ");
}
