// The request and the answer of `http.request` and `https.request`, over `fetch`. The body is sent when it is whole.

import { Readable, Writable } from '@jspm/core/nodelibs/stream';
import { STATUS_CODES } from './http_words.js';

/** Connections are the node's business; the settings of an agent are kept for who reads them. */
export class Agent {
  constructor(options = {}) {
    this.options = options;
  }
  destroy() {}
}

/** An answer as it arrives. */
export class IncomingMessage extends Readable {
  #reader;
  constructor(response) {
    super();
    this.statusCode = response.status;
    this.statusMessage = response.statusText || STATUS_CODES[response.status] || '';
    this.httpVersion = '1.1';
    this.complete = false;
    this.headers = {};
    this.rawHeaders = [];
    for (const [name, value] of response.headers) {
      this.rawHeaders.push(name, value);
      if (name !== 'set-cookie') this.headers[name] = value;
    }
    const cookies = response.headers.getSetCookie?.() ?? [];
    if (cookies.length > 0) this.headers['set-cookie'] = cookies;
    this.#reader = response.body?.getReader();
  }
  async _read() {
    try {
      const { done, value } = this.#reader ? await this.#reader.read() : { done: true };
      this.complete = done;
      this.push(done ? null : Buffer.from(value));
    } catch (error) {
      this.destroy(error);
    }
  }
  _destroy(error, callback) {
    this.#reader?.cancel().catch(() => {});
    callback(error);
  }
  setTimeout(delay, callback) {
    if (callback) this.once('timeout', callback);
    return this;
  }
}

/** A request that is written, then sent. */
export class ClientRequest extends Writable {
  #url;
  #headers = new Map();
  #chunks = [];
  #abort = new AbortController();
  #timer;
  aborted = false;

  constructor(url, options, callback) {
    // It is there until the answer is, not until it is written.
    super({ autoDestroy: false });
    this.#url = url;
    this.method = String(options.method ?? 'GET').toUpperCase();
    this.protocol = url.protocol;
    this.host = url.hostname;
    this.path = url.pathname + url.search;
    const headers = options.headers ?? {};
    const pairs = Array.isArray(headers) ? headers : Object.entries(headers);
    for (const [name, value] of pairs) if (value !== undefined) this.setHeader(name, value);
    if (options.auth && !this.getHeader('authorization')) {
      this.setHeader('Authorization', `Basic ${Buffer.from(options.auth).toString('base64')}`);
    }
    if (options.timeout) this.setTimeout(options.timeout);
    options.signal?.addEventListener('abort', () => this.destroy(options.signal.reason));
    if (callback) this.once('response', callback);
  }

  setHeader(name, value) {
    this.#headers.set(name.toLowerCase(), [name, value]);
    return this;
  }
  getHeader(name) {
    return this.#headers.get(name.toLowerCase())?.[1];
  }
  hasHeader(name) {
    return this.#headers.has(name.toLowerCase());
  }
  removeHeader(name) {
    this.#headers.delete(name.toLowerCase());
  }
  getHeaders() {
    return Object.fromEntries([...this.#headers].map(([name, [, value]]) => [name, value]));
  }
  getHeaderNames() {
    return [...this.#headers.keys()];
  }
  flushHeaders() {}
  setNoDelay() {
    return this;
  }
  setSocketKeepAlive() {
    return this;
  }
  setTimeout(delay, callback) {
    if (callback) this.once('timeout', callback);
    clearTimeout(this.#timer);
    if (delay > 0) this.#timer = setTimeout(() => this.emit('timeout'), delay);
    return this;
  }
  abort() {
    this.aborted = true;
    this.emit('abort');
    this.destroy();
  }

  _write(chunk, encoding, callback) {
    this.#chunks.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
    callback();
  }
  _final(callback) {
    // The answer is told by events, so that `finish` comes when the request is written.
    this.#send();
    callback();
  }
  _destroy(error, callback) {
    clearTimeout(this.#timer);
    this.#abort.abort();
    callback(error ?? (this.res ? null : hangUp()));
  }

  async #send() {
    try {
      const headers = new Headers();
      for (const [name, [, value]] of this.#headers) {
        // The node frames the message.
        if (name === 'content-length' || name === 'transfer-encoding' || name === 'connection') continue;
        for (const one of Array.isArray(value) ? value : [value]) headers.append(name, String(one));
      }
      const bodiless = this.method === 'GET' || this.method === 'HEAD';
      const body = bodiless || this.#chunks.length === 0 ? undefined : Buffer.concat(this.#chunks);
      const response = await fetch(this.#url.href, {
        method: this.method, headers, body, redirect: 'manual', signal: this.#abort.signal,
      });
      if (this.destroyed) return;
      clearTimeout(this.#timer);
      this.res = new IncomingMessage(response);
      this.res.req = this;
      const heard = this.emit('response', this.res);
      if (!heard) this.res.resume();
    } catch (error) {
      if (this.destroyed) return;
      const failed = new Error(`${this.method} ${this.#url.origin}: ${error?.message ?? error}`, { cause: error });
      failed.code = 'ECONNREFUSED';
      this.destroy(failed);
    }
  }
}

function hangUp() {
  const error = new Error('socket hang up');
  error.code = 'ECONNRESET';
  return error;
}

/** `request` and `get` of one scheme: `(url[, options][, callback])` or `(options[, callback])`. */
export function client(scheme) {
  const request = (...args) => {
    const callback = typeof args.at(-1) === 'function' ? args.pop() : undefined;
    const [first, second] = args;
    const isUrl = typeof first === 'string' || first instanceof URL;
    const options = { ...(isUrl ? second : first) };
    const url = isUrl ? new URL(String(first)) : urlOf(options, scheme);
    if (isUrl && options.path !== undefined) {
      const replaced = new URL(options.path, url);
      [url.pathname, url.search] = [replaced.pathname, replaced.search];
    }
    if (isUrl && (url.username || url.password)) {
      options.auth ??= `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
      url.username = url.password = '';
    }
    const wanted = options.protocol ?? url.protocol;
    if (wanted !== scheme) {
      const error = new TypeError(`Protocol "${wanted}" not supported. Expected "${scheme}"`);
      error.code = 'ERR_INVALID_PROTOCOL';
      throw error;
    }
    return new ClientRequest(url, options, callback);
  };
  const get = (...args) => {
    const made = request(...args);
    made.end();
    return made;
  };
  return { request, get };
}

function urlOf(options, scheme) {
  // `host` may bring a port along; `hostname` goes first.
  const host = options.hostname ?? options.host ?? 'localhost';
  const bracketed = host.includes(':') && !host.startsWith('[') && !/^[^:]*:\d+$/.test(host) ? `[${host}]` : host;
  const port = options.port ? `:${options.port}` : '';
  return new URL(`${options.protocol ?? scheme}//${bracketed}${port}${options.path ?? '/'}`);
}
