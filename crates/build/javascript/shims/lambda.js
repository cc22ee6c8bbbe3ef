// Runs an unchanged Lambda@Edge handler for Node.js as a component: `exports.handler` with a callback, an async one, or
// one that just returns. `rimward:handler` loads the user's modules; `rimward build` puts it there.

import './first.js';
import './host.js';
import { beginCall, drained } from './globals.js';
import { watched } from './watch.js';
import load from 'rimward:handler';
import { exportName } from 'rimward:task';

// Module scope runs now, while the component is built, so that an instance starts with it done.
const first = watched(load);
if (first.error && first.asked === null) {
  throw first.error;
}
// What differs between instances must not be frozen into the component: then module scope runs again in each.
let handler = first.asked === null ? find(first.loaded) : null;
if (handler === null && first.loaded) {
  find(first.loaded);
}

export const lambda = {
  async invoke(eventText, contextText) {
    const context = JSON.parse(contextText);
    beginCall(context.awsRequestId);
    try {
      handler ??= find(load());
      const result = await run(JSON.parse(eventText), makeContext(context));
      return JSON.stringify(result ?? null);
    } catch (error) {
      // A string becomes the error of the WIT result; its first line is `Type: message`.
      throw describe(error);
    }
  },
};

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

async function run(event, context) {
  let called = false;
  let settle;
  const answer = new Promise((resolve, reject) => {
    settle = (error, result) => {
      // The first call wins; published functions call it twice.
      if (called) return;
      called = true;
      if (error === null || error === undefined) resolve(result);
      else reject(error);
    };
  });
  // Kept from being an unhandled rejection while the event loop runs dry.
  answer.catch(() => {});
  context.done = settle;
  context.succeed = (result) => settle(null, result);
  context.fail = (error) => settle(error ?? new Error('context.fail'));

  const returned = handler(event, context, settle);
  if (returned !== null && typeof returned?.then === 'function') {
    // An async handler's promise decides, whatever it does with the callback.
    return returned;
  }
  if (returned !== undefined && !called) {
    return returned;
  }
  // With a callback: it must come before the event loop is empty, and by default the answer waits until it is.
  if (!called || context.callbackWaitsForEmptyEventLoop) {
    await drained(() => called && !context.callbackWaitsForEmptyEventLoop);
  }
  return called ? answer : null;
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
