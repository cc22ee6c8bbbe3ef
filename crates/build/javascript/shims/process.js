// `node:process`: the global.
export default globalThis.process;
export const {
  argv, cwd, emitWarning, env, exit, hrtime, nextTick, pid, platform, stderr, stdout, uptime, version, versions,
} = globalThis.process;
