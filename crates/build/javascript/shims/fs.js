// `node:fs`: files below `/tmp`, and the function's own folder, `/var/task`, to read. The calls are done at once, also
// where Node would do them in the background.

import { HOST_SYMBOL } from './host_symbol.js';

const { Buffer } = globalThis;
const host = globalThis[HOST_SYMBOL];
const TASK = '/var/task';

const CODES = {
  'access': 'EACCES', 'exist': 'EEXIST', 'is-directory': 'EISDIR', 'no-entry': 'ENOENT', 'not-directory': 'ENOTDIR',
  'not-empty': 'ENOTEMPTY', 'not-permitted': 'EPERM', 'insufficient-space': 'ENOSPC', 'quota': 'EDQUOT', 'loop': 'ELOOP',
  'name-too-long': 'ENAMETOOLONG', 'read-only': 'EROFS', 'invalid': 'EINVAL',
};

function failure(code, call, path) {
  const error = new Error(`${code}: ${call} '${path}'`);
  return Object.assign(error, { code, syscall: call, path });
}

/** `/a/./b/../c` as `/a/c`. */
function absolute(path) {
  const text = path instanceof URL ? decodeURIComponent(path.pathname) : String(path);
  const parts = [];
  for (const part of (text.startsWith('/') ? text : `${TASK}/${text}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** Does `work` with the folder that `path` lies in and the path below it. */
function within(call, path, work) {
  const full = absolute(path);
  for (const [folder, root] of host.directories()) {
    const top = root.replace(/\/$/, '');
    if (full === top || full.startsWith(`${top}/`)) {
      try {
        return work(folder, full.slice(top.length + 1) || '.');
      } catch (error) {
        throw failure(CODES[error?.payload ?? error] ?? 'EIO', call, full);
      }
    }
  }
  const code = full === TASK || full.startsWith(`${TASK}/`) ? 'EROFS' : 'ENOENT';
  throw failure(code, call, full);
}

const taskFile = (path) => {
  const full = absolute(path);
  return full.startsWith(`${TASK}/`) ? host.taskFiles[full.slice(TASK.length + 1)] : undefined;
};
const encodingOf = (options) => (typeof options === 'string' ? options : options?.encoding);

export function readFileSync(path, options) {
  const own = taskFile(path);
  const content = own === undefined ? readAll(path) : Buffer.from(own, 'base64');
  const encoding = encodingOf(options);
  return encoding ? content.toString(encoding) : content;
}

function readAll(path) {
  return within('open', path, (folder, name) => {
    const file = folder.openAt({ symlinkFollow: true }, name, {}, { read: true });
    const chunks = [];
    let at = 0n;
    for (;;) {
      const [chunk, end] = file.read(1n << 20n, at);
      if (chunk.length > 0) chunks.push(Buffer.from(chunk));
      at += BigInt(chunk.length);
      if (end || chunk.length === 0) return Buffer.concat(chunks);
    }
  });
}

function store(path, data, options, { append }) {
  const bytes = typeof data === 'string' ? Buffer.from(data, encodingOf(options) ?? 'utf8') : Buffer.from(data);
  const flag = options?.flag ?? (append ? 'a' : 'w');
  within('open', path, (folder, name) => {
    const open = { create: true, truncate: flag.startsWith('w'), exclusive: flag.endsWith('x') };
    const file = folder.openAt({ symlinkFollow: true }, name, open, { write: true });
    let at = flag.startsWith('a') ? file.stat().size : 0n;
    for (let sent = 0; sent < bytes.length; ) {
      const written = Number(file.write(bytes.subarray(sent, sent + 65536), at));
      sent += written;
      at += BigInt(written);
    }
  });
}

export const writeFileSync = (path, data, options) => store(path, data, options, { append: false });
export const appendFileSync = (path, data, options) => store(path, data, options, { append: true });

export function statSync(path, options) {
  const own = taskFile(path);
  if (own !== undefined) return stats('regular-file', BigInt(Buffer.byteLength(own, 'base64')));
  try {
    return within('stat', path, (folder, name) => {
      const { type, size, dataModificationTimestamp: time } = folder.statAt({ symlinkFollow: true }, name);
      return stats(type, size, time);
    });
  } catch (error) {
    if (options?.throwIfNoEntry === false && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
export const lstatSync = statSync;

function stats(type, size, time) {
  const mtimeMs = time ? Number(time.seconds) * 1000 + time.nanoseconds / 1e6 : 0;
  return {
    size: Number(size), mtimeMs, mtime: new Date(mtimeMs),
    isFile: () => type === 'regular-file',
    isDirectory: () => type === 'directory',
    isSymbolicLink: () => type === 'symbolic-link',
  };
}

export function existsSync(path) {
  try {
    statSync(path);
    return true;
  } catch {
    return false;
  }
}
export function accessSync(path) {
  statSync(path);
}

export function readdirSync(path) {
  const full = absolute(path);
  if (full === TASK || full.startsWith(`${TASK}/`)) {
    const below = full === TASK ? '' : `${full.slice(TASK.length + 1)}/`;
    const names = Object.keys(host.taskFiles).filter((name) => name.startsWith(below));
    return [...new Set(names.map((name) => name.slice(below.length).split('/')[0]))].sort();
  }
  return within('scandir', path, (folder, name) => {
    const entries = folder.openAt({ symlinkFollow: true }, name, { directory: true }, { read: true }).readDirectory();
    const names = [];
    for (let entry; (entry = entries.readDirectoryEntry()); ) names.push(entry.name);
    return names.sort();
  });
}

export function mkdirSync(path, options) {
  const full = absolute(path);
  if (!options?.recursive) {
    within('mkdir', full, (folder, name) => folder.createDirectoryAt(name));
    return;
  }
  const parts = full.split('/').filter(Boolean);
  for (let i = 1; i <= parts.length; i++) {
    const part = `/${parts.slice(0, i).join('/')}`;
    if (!existsSync(part)) within('mkdir', part, (folder, name) => folder.createDirectoryAt(name));
  }
}

export const unlinkSync = (path) => within('unlink', path, (folder, name) => folder.unlinkFileAt(name));
export const rmdirSync = (path) => within('rmdir', path, (folder, name) => folder.removeDirectoryAt(name));
export function rmSync(path, options = {}) {
  const found = statSync(path, { throwIfNoEntry: !options.force });
  if (found === undefined) return;
  if (!found.isDirectory()) {
    unlinkSync(path);
  } else if (options.recursive) {
    for (const name of readdirSync(path)) rmSync(`${absolute(path)}/${name}`, options);
    rmdirSync(path);
  } else {
    throw failure('ERR_FS_EISDIR', 'rm', absolute(path));
  }
}
export function renameSync(from, to) {
  within('rename', from, (folder, name) => {
    within('rename', to, (target, newName) => folder.renameAt(name, target, newName));
  });
}
export const copyFileSync = (from, to) => writeFileSync(to, readFileSync(from));
export const mkdtempSync = (prefix) => {
  const path = `${prefix}${Math.random().toString(36).slice(2, 8)}`;
  mkdirSync(path);
  return path;
};

const sync = {
  access: accessSync, appendFile: appendFileSync, copyFile: copyFileSync, lstat: lstatSync, mkdir: mkdirSync,
  mkdtemp: mkdtempSync, readFile: readFileSync, readdir: readdirSync, rename: renameSync, rm: rmSync, rmdir: rmdirSync,
  stat: statSync, unlink: unlinkSync, writeFile: writeFileSync,
};
/** Each call as a promise. */
export const promises = Object.fromEntries(Object.entries(sync).map(([name, work]) => [name, async (...args) => work(...args)]));
/** Each call with a callback. */
const callbacks = Object.fromEntries(
  Object.entries(promises).map(([name, work]) => [
    name,
    (...args) => {
      const callback = args.pop();
      work(...args).then((result) => callback(null, result), callback);
    },
  ]),
);
export const {
  access, appendFile, copyFile, lstat, mkdir, mkdtemp, readFile, readdir, rename, rm, rmdir, stat, unlink, writeFile,
} = callbacks;
export const constants = { F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1 };

const unstreamed = (name) => () => {
  throw new Error(`fs.${name} is not there: read and write whole files, with readFile and writeFile`);
};
export const createReadStream = unstreamed('createReadStream');
export const createWriteStream = unstreamed('createWriteStream');

export default {
  ...callbacks, accessSync, appendFileSync, constants, copyFileSync, createReadStream, createWriteStream, existsSync, lstatSync,
  mkdirSync, mkdtempSync, promises, readFileSync, readdirSync, renameSync, rmSync, rmdirSync, statSync, unlinkSync, writeFileSync,
};
