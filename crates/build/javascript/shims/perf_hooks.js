// `node:perf_hooks`: the clock alone.
export const { performance } = globalThis;
export default { performance };
