// What a handler expects of Node.js to be there: `process`, `Buffer`, a console that writes the vendor's lines, and timers
// and requests that can be waited for.

import { format } from '@jspm/core/nodelibs/util';
import { Buffer } from './buffer_class.js';
import { HOST_SYMBOL } from './host_symbol.js';
import { asksWhileBuilding } from './watch.js';

const host = globalThis[HOST_SYMBOL];
let requestId = '';
// Whether log lines are JSON objects; known when an instance starts.
let json = false;

/** An instance starts. */
export function start() {
  json = host.environment().AWS_LAMBDA_LOG_FORMAT === 'JSON';
}

/** A call starts: log lines carry its id. */
export function beginCall(id) {
  requestId = id;
}

globalThis.global ??= globalThis;
globalThis.Buffer = Buffer;

const changed = new Map();
const everything = () => {
  const env = asksWhileBuilding('the environment') ? {} : host.environment();
  for (const [name, value] of changed) {
    if (value === undefined) delete env[name];
    else env[name] = value;
  }
  return env;
};
// Read from the node at each use: what is read while the component is built would be frozen into it.
const env = new Proxy({}, {
  get: (_, name) => (typeof name === 'string' ? everything()[name] : undefined),
  set: (_, name, value) => Boolean(changed.set(name, String(value))),
  deleteProperty: (_, name) => Boolean(changed.set(name, undefined)),
  has: (_, name) => name in everything(),
  ownKeys: () => Object.keys(everything()),
  getOwnPropertyDescriptor(_, name) {
    const value = everything()[name];
    return value === undefined ? undefined : { value, enumerable: true, configurable: true, writable: true };
  },
});

/** What `process.exit` throws: a function that ends its process has failed. */
class ExitError extends Error {
  name = 'Runtime.ExitError';
}

globalThis.process = {
  env,
  argv: ['/var/lang/bin/node', '/var/runtime/index.mjs'],
  execArgv: [],
  pid: 1,
  arch: 'wasm32',
  platform: 'linux',
  release: { name: 'node' },
  version: 'v22.0.0',
  versions: { node: '22.0.0' },
  cwd: () => '/var/task',
  exit(code) {
    throw new ExitError(`the function called process.exit(${code ?? 0})`);
  },
  uptime: () => performance.now() / 1000,
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
  emitWarning: (warning) => console.warn(String(warning)),
  stdout: { isTTY: false, write: (text) => Boolean(write(String(text).replace(/\n$/, ''))) || true },
  stderr: { isTTY: false, write: (text) => Boolean(write(String(text).replace(/\n$/, ''))) || true },
};
// Nothing is emitted: there are no signals, and an error that nobody catches ends the call.
for (const method of ['on', 'once', 'off', 'addListener', 'removeListener', 'removeAllListeners', 'setMaxListeners']) {
  globalThis.process[method] = () => globalThis.process;
}
globalThis.process.listenerCount = () => 0;
globalThis.process.listeners = () => [];

// --- console: `TIME\tID\tLEVEL\tMESSAGE` in the text log format, an object in the other ---

const write = console.log.bind(console);
const levels = { trace: 'TRACE', debug: 'DEBUG', info: 'INFO', log: 'INFO', warn: 'WARN', error: 'ERROR' };
for (const [method, level] of Object.entries(levels)) {
  console[method] = (...args) => {
    const timestamp = new Date().toISOString();
    write(json ? entry(timestamp, level, args) : `${timestamp}\t${requestId}\t${level}\t${format(...args)}`);
  };
}

/** A line of the JSON log format. One argument that is an object stays one; an error adds its type, message and stack. */
function entry(timestamp, level, args) {
  const own = { timestamp, level, requestId, message: format(...args) };
  const error = args.find((arg) => arg instanceof Error);
  if (error) {
    own.errorType = error.name ?? 'Error';
    own.errorMessage = error.message;
    own.stackTrace = String(error.stack ?? '').trim().split('\n');
  } else if (args.length === 1 && args[0] !== null && typeof args[0] === 'object') {
    try {
      return JSON.stringify({ ...own, message: args[0] });
    } catch {
      // It has a circle or a BigInt in it: then it is told as text.
    }
  }
  return JSON.stringify(own);
}
console.dir = (value) => console.log(value);
console.assert = (holds, ...args) => {
  if (!holds) console.error('Assertion failed:', ...args);
};

// --- timers and requests, counted, so that a callback's answer can wait for the event loop to run dry ---

const native = { setTimeout, clearTimeout, setInterval, clearInterval, fetch: globalThis.fetch };
const pending = new Set();

/** What `setTimeout` gives: a number to most, with the methods that Node's timers have. */
class Timer {
  constructor(id, cancel) {
    this.id = id;
    this.cancel = cancel;
  }
  ref() {
    pending.add(this.id);
    return this;
  }
  unref() {
    pending.delete(this.id);
    return this;
  }
  hasRef() {
    return pending.has(this.id);
  }
  close() {
    this.cancel();
    return this;
  }
  [Symbol.toPrimitive]() {
    return this.id;
  }
}

globalThis.setTimeout = (callback, delay, ...args) => {
  const id = native.setTimeout(() => {
    pending.delete(id);
    callback(...args);
  }, delay ?? 0);
  pending.add(id);
  return new Timer(id, () => clearTimeout(id));
};
globalThis.setInterval = (callback, delay, ...args) => {
  const id = native.setInterval(() => callback(...args), delay ?? 0);
  pending.add(id);
  return new Timer(id, () => clearInterval(id));
};
globalThis.clearTimeout = globalThis.clearInterval = (timer) => {
  if (timer === undefined || timer === null) return;
  const id = Number(timer);
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
