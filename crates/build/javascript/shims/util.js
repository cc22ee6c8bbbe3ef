// `node:util`: the polyfill, and what it lacks.
import polyfill from '@jspm/core/nodelibs/util';
import assert from '@jspm/core/nodelibs/assert';

export const {
  callbackify, debuglog, deprecate, format, inherits, inspect, isArray, isBuffer, isDate, isError, isFunction, isNull,
  isNumber, isObject, isRegExp, isString, isUndefined, promisify, types,
} = polyfill;
export const { TextDecoder, TextEncoder } = globalThis;
export const isDeepStrictEqual = (left, right) => {
  try {
    assert.deepStrictEqual(left, right);
    return true;
  } catch {
    return false;
  }
};
export const stripVTControlCharacters = (text) => text.replace(/\u001B\[[0-9;]*[A-Za-z]/g, '');
export default { ...polyfill, TextDecoder, TextEncoder, isDeepStrictEqual, stripVTControlCharacters };
