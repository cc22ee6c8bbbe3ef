// What the node offers beside JavaScript's own globals. The user's modules are a bundle of their own, without imports,
// so they find it under a symbol.

import { getEnvironment } from 'wasi:cli/environment@0.2.3';
import { getDirectories } from 'wasi:filesystem/preopens@0.2.3';
import { get } from 'rimward:edge/secrets@1.0.0';
import taskFiles from 'rimward:task';
import { HOST_SYMBOL } from './host_symbol.js';
import { asksWhileBuilding } from './watch.js';

globalThis[HOST_SYMBOL] = {
  environment: () => Object.fromEntries(getEnvironment()),
  directories: () => (asksWhileBuilding('a file') ? [] : getDirectories()),
  secret: (name) => (asksWhileBuilding('a secret') ? '' : get(name)),
  /** Files of the function's folder by name, in base64. */
  taskFiles,
};
