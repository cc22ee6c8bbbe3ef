// `node:console`: the global, which writes the vendor's lines.
export default globalThis.console;
export const { log, info, warn, error, debug, trace, assert, dir } = globalThis.console;
