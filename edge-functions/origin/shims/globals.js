// What a handler expects of Node.js to be there: `process`, a console that writes the vendor's lines, and timers that
// can be waited for.

import { getEnvironment } from 'wasi:cli/environment@0.2.3';

let requestId = '';

/** A call starts: log lines carry its id. */
export function beginCall(id) {
  requestId = id;
}

const environment = () => Object.fromEntries(getEnvironment());

globalThis.global ??= globalThis;
globalThis.process = {
  // Read at each call: what is read while the component is built would be frozen into it.
  get env() {
    return environment();
  },
  argv: [],
  platform: 'linux',
  version: 'v22.0.0',
  versions: { node: '22.0.0' },
  cwd: () => '/var/task',
  hrtime: Object.assign(
    (since = [0, 0]) => {
      const now = performance.now();
      const [s, ns] = [Math.floor(now / 1000) - since[0], Math.round((now % 1000) * 1e6) - since[1]];
      return ns < 0 ? [s - 1, ns + 1e9] : [s, ns];
    },
    { bigint: () => BigInt(Math.round(performance.now() * 1e6)) },
  ),
  memoryUsage: () => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }),
  nextTick: (callback, ...args) => queueMicrotask(() => callback(...args)),
  on() {
    return this;
  },
  emitWarning() {},
};

// --- console: `TIME\tID\tLEVEL\tMESSAGE` (text log format) ---

const write = console.log.bind(console);
const levels = { trace: 'TRACE', debug: 'DEBUG', info: 'INFO', log: 'INFO', warn: 'WARN', error: 'ERROR' };
for (const [method, level] of Object.entries(levels)) {
  console[method] = (...args) =>
    write(`${new Date().toISOString()}\t${requestId}\t${level}\t${args.map(shown).join(' ')}`);
}

function shown(value) {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return value.stack ? `${value}\n${value.stack}` : String(value);
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

// --- timers and requests, counted, so that a callback's answer can wait for the event loop to run dry ---

const native = { setTimeout, clearTimeout, setInterval, clearInterval, fetch: globalThis.fetch };
const pending = new Set();

globalThis.setTimeout = (callback, delay, ...args) => {
  const id = native.setTimeout(() => {
    pending.delete(id);
    callback(...args);
  }, delay ?? 0);
  pending.add(id);
  return id;
};
globalThis.setInterval = (callback, delay, ...args) => {
  const id = native.setInterval(() => callback(...args), delay ?? 0);
  pending.add(id);
  return id;
};
globalThis.clearTimeout = globalThis.clearInterval = (id) => {
  pending.delete(id);
  native.clearTimeout(id);
  native.clearInterval(id);
};
globalThis.setImmediate = (callback, ...args) => setTimeout(callback, 0, ...args);
globalThis.clearImmediate = clearTimeout;
if (native.fetch) {
  globalThis.fetch = async (...args) => {
    const token = {};
    pending.add(token);
    try {
      return await native.fetch(...args);
    } finally {
      pending.delete(token);
    }
  };
}

/** Waits until nothing is pending, or `enough` says that it need not. */
export async function drained(enough) {
  do {
    await new Promise((resolve) => native.setTimeout(resolve, 0));
  } while (pending.size > 0 && !enough());
}
