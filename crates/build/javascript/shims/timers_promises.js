// `node:timers/promises`.
export const setTimeout = (delay, value) => new Promise((resolve) => globalThis.setTimeout(resolve, delay, value));
export const setImmediate = (value) => setTimeout(0, value);
export const scheduler = { wait: (delay) => setTimeout(delay), yield: () => setTimeout(0) };
export default { setTimeout, setImmediate, scheduler };
