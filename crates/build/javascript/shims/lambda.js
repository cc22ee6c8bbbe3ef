// Runs an unchanged Lambda@Edge handler for Node.js as a component: `exports.handler` with a callback, an async one, or
// one that just returns. `rimward:handler` loads the user's modules; `rimward build` puts it there.

import './first.js';
import './host.js';
import { beginCall, drained, start } from './globals.js';
import { watched } from './watch.js';
import load, { waits } from 'rimward:handler';
import { exportName } from 'rimward:task';

// Module scope runs now, while the component is built, so that an instance starts with it done. One that waits at its top
// level waits for what is not there yet.
const first = watched(waits ? () => null : load);
if (first.error && first.asked === null) {
  throw first.error;
}
// What differs between instances must not be frozen into the component: then module scope runs again in each.
let handler = first.asked === null && !waits ? find(first.loaded) : null;
if (handler === null && first.loaded) {
  find(first.loaded);
}
compile();

// Before the first event of an instance.
export const init = {
  init() {
    start();
    if (handler !== null) return undefined;
    let loaded;
    try {
      loaded = load();
      if (!waits) handler = find(loaded);
    } catch (error) {
      failed(error);
    }
    return waits ? loaded.then((loaded) => void (handler = find(loaded))).catch(failed) : undefined;
  },
};

// An interpreter runs this at each call: no promise is made here that the handler does not need.
export const lambda = {
  invoke(eventText, contextText) {
    const context = JSON.parse(contextText);
    beginCall(context.awsRequestId);
    let result;
    try {
      result = run(JSON.parse(eventText), makeContext(context));
    } catch (error) {
      failed(error);
    }
    return typeof result?.then === 'function' ? result.then(encoded, failed) : encoded(result);
  },
};

function encoded(result) {
  try {
    return JSON.stringify(result ?? null);
  } catch (error) {
    return failed(error);
  }
}

/** A string becomes the error of the WIT result; its first line is `Type: message`. */
function failed(error) {
  throw describe(error);
}

/** Has functions of this file compiled, which the engine does when they are called first: in the snapshot they stay so. */
function compile() {
  const own = handler;
  handler = (event) => event;
  encoded(run({}, makeContext({ deadlineMs: 0 })));
  handler = own;
}

function find(loaded) {
  const places = [loaded, loaded.default, loaded.module?.default, loaded.module];
  for (const place of places) {
    if (typeof place?.[exportName] === 'function') return place[exportName];
  }
  if (exportName === 'handler' && typeof loaded.module?.default === 'function') return loaded.module.default;
  const names = new Set(places.filter((place) => place && typeof place === 'object').flatMap(Object.keys));
  for (const own of ['default', 'module', 'module.exports', '__esModule']) names.delete(own);
  const there = [...names].join(', ') || 'nothing';
  throw new TypeError(`rimward: ${exportName} is undefined or not exported; the module exports ${there}`);
}

function makeContext({ deadlineMs, ...fields }) {
  return {
    ...fields,
    callbackWaitsForEmptyEventLoop: true,
    identity: undefined,
    clientContext: fields.clientContext,
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  };
}

/** What the handler gives, or a promise of it. */
function run(event, context) {
  let answer = null;
  const settle = (error, result) => {
    // The first call wins; published functions call it twice.
    answer ??= { error, result };
  };
  context.done = settle;
  context.succeed = (result) => settle(null, result);
  context.fail = (error) => settle(error ?? new Error('context.fail'));

  const returned = handler(event, context, settle);
  if (returned !== null && typeof returned?.then === 'function') {
    // An async handler's promise decides, whatever it does with the callback.
    return returned;
  }
  return returned !== undefined && answer === null ? returned : answered(() => answer, context);
}

/** What a callback was given: it must be called before the event loop is empty, and by default the answer waits until it is. */
async function answered(answer, context) {
  const enough = () => answer() !== null && !context.callbackWaitsForEmptyEventLoop;
  if (!enough()) await drained(enough);
  const { error, result } = answer() ?? {};
  if (error !== null && error !== undefined) throw error;
  return result;
}

function describe(error) {
  if (error instanceof Error || typeof error?.message === 'string') {
    const first = `${error.name ?? 'Error'}: ${error.message}`;
    const stack = typeof error.stack === 'string' ? error.stack.trim() : '';
    if (stack.startsWith(first)) return stack;
    return stack ? `${first}\n${stack.replace(/^/gm, '    at ')}` : first;
  }
  return typeof error === 'string' ? `Error: ${error}` : `Error: ${JSON.stringify(error)}`;
}
