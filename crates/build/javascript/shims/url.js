// `node:url`: the polyfill's `parse`, `format` and `resolve`, the engine's `URL`.
import * as polyfill from '@jspm/core/nodelibs/url';

export const { Url, fileURLToPath, format, parse, pathToFileURL, resolve, resolveObject } = polyfill;
export const { URL, URLSearchParams } = globalThis;
export const urlToHttpOptions = (url) => ({
  protocol: url.protocol,
  hostname: url.hostname.replace(/^\[|\]$/g, ''),
  hash: url.hash,
  search: url.search,
  pathname: url.pathname,
  path: url.pathname + url.search,
  href: url.href,
  ...(url.port === '' ? {} : { port: Number(url.port) }),
  ...(url.username || url.password
    ? { auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` }
    : {}),
});
export default {
  URL, URLSearchParams, Url, fileURLToPath, format, parse, pathToFileURL, resolve, resolveObject, urlToHttpOptions,
};
