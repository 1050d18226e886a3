/** The folder in which this user's programs keep what they need from one run to the next. */

/** The folder of queuectl there, made or not; undefined where the environment does not say where it can be. Pure. */
export function stateFolder(
  os: typeof Deno.build.os,
  environment: Record<string, string | undefined>,
): string | undefined {
  const { XDG_STATE_HOME, LOCALAPPDATA } = environment;
  // It is `/` for users without a home.
  const HOME = environment.HOME && environment.HOME.replace(/\/+$/, "") + "/";
  if (os === "windows") return LOCALAPPDATA && `${LOCALAPPDATA}/queuectl`;
  if (os === "darwin") return HOME && `${HOME}Library/Application Support/queuectl`;
  // A relative one is not valid, by the rules of XDG.
  if (XDG_STATE_HOME?.startsWith("/")) return `${XDG_STATE_HOME}/queuectl`;
  return HOME && `${HOME}.local/state/queuectl`;
}
