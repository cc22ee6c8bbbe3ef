// Bundles a Node-style handler with the shims: `node bundle.mjs PLAN.json`, where the plan is
// { tools, shims, folder, entry, export, files, userOut, out }. One JSON object on standard output says how it went:
// { ok, errors, warnings }, each message with text, file, line, column, excerpt, way.
//
// There are two bundles. The user's modules become the body of a function, so that the shim can run module scope when
// the component is built, and once more when an instance starts if it asked for what differs between instances
// (environment, clock, randomness). The second bundle is that function and the shim.

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const plan = JSON.parse(await readFile(process.argv[2], 'utf8'));
const tools = path.join(plan.tools, 'node_modules');
const esbuild = await import(pathToFileURL(path.join(tools, 'esbuild/lib/main.js')));

/** Node's modules that a polyfill of `@jspm/core` stands in for. */
const POLYFILLED = [
  'assert', 'assert/strict', 'constants', 'diagnostics_channel', 'domain', 'events', 'os', 'path', 'path/posix',
  'path/win32', 'punycode', 'querystring', 'stream', 'stream/consumers', 'stream/promises', 'string_decoder', 'tty',
  'util/types', 'zlib',
];
/** Node's modules that a shim of ours stands in for. */
const SHIMMED = {
  buffer: 'buffer.js', console: 'console.js', crypto: 'crypto.js', fs: 'fs.js',
  'fs/promises': 'fs_promises.js', http: 'http.js', https: 'https.js', module: 'module.js', perf_hooks: 'perf_hooks.js',
  process: 'process.js', 'stream/web': 'stream_web.js', sys: 'util.js', timers: 'timers.js',
  'timers/promises': 'timers_promises.js', url: 'url.js', util: 'util.js',
};
/** Node's modules that cannot work in the sandbox, and what to do instead. */
const SOCKETS = 'the sandbox has no sockets; call HTTP servers with fetch or https.request';
const ABSENT = {
  async_hooks: 'the engine does not follow asynchronous contexts; hand values on as arguments',
  child_process: 'the sandbox has no processes', cluster: 'the sandbox has no processes', dgram: SOCKETS,
  dns: 'the node resolves names; call servers by name with fetch or https.request', 'dns/promises': SOCKETS,
  http2: 'use fetch or https.request; the node speaks HTTP/1.1 to the server', inspector: 'the sandbox has no debugger',
  'inspector/promises': 'the sandbox has no debugger', net: SOCKETS, readline: 'a function has no standard input',
  'readline/promises': 'a function has no standard input', repl: 'a function has no standard input',
  sqlite: 'keep data in memory or in files below /tmp', 'node:test': 'leave tests out of what the handler imports',
  tls: SOCKETS, trace_events: 'the sandbox has no tracing', v8: 'the engine is not V8', vm: 'the sandbox runs no second context',
  wasi: 'the component is WebAssembly already', worker_threads: 'the sandbox has one thread',
};
/** Packages that are made of machine code, or load it. */
const NATIVE = /^(bcrypt|better-sqlite3|bindings|canvas|node-gyp-build|node-sass|prebuild-install|re2|sharp|sqlite3)(\/|$)/;
const SDK = /^(aws-sdk|@aws-sdk\/)/;

const named = (names) => new RegExp(`^(node:)?(${names.map((name) => name.replace('node:', '')).join('|')})$`);
const bare = (name) => name.replace(/^node:/, '');

/** Modules that packages name and that are not there, with a file that names them. */
const absent = new Map();

/** Functions of `crypto` whose implementation is large. */
const LARGE = /\b(create(Sign|Verify|Cipheriv|Decipheriv|ECDH|DiffieHellman)|(public|private)(En|De)crypt|getCiphers|getDiffieHellman)\b|crypto\.(sign|verify)\b/;
/** Whether a file of the user's names one of them. */
let signsOrEncrypts = false;

/** Stands in for a module that cannot work, where a package names it and perhaps never uses it. */
const absentSource = (name, way) => `
const refuse = (what) => { throw new Error('Node module ${name} is not there (' + what + '): ${way}'); };
const member = (what) => new Proxy(function () {}, {
  apply: () => refuse(what), construct: () => refuse(what),
  get: (target, key) => typeof key === 'symbol' || key in target ? target[key] : member(what + '.' + key),
});
module.exports = new Proxy({}, {
  get: (_, key) => typeof key === 'symbol' || key === 'then' || key === '__esModule' ? undefined : member(String(key)),
});`;

const nodeModules = {
  name: 'node-modules',
  setup(build) {
    const standIn = (file, kind) =>
      kind === 'require-call' ? { path: file, namespace: 'required' } : { path: file };
    build.onResolve({ filter: named(POLYFILLED) }, ({ path: name, kind }) =>
      standIn(path.join(tools, '@jspm/core/nodelibs/browser', `${bare(name)}.js`), kind),
    );
    build.onResolve({ filter: named(Object.keys(SHIMMED)) }, ({ path: name, kind }) =>
      standIn(path.join(plan.shims, SHIMMED[bare(name)]), kind),
    );
    // What `require` gives in Node is the module itself, such as the class of `events`, not an object that has it as `default`.
    build.onLoad({ filter: /.*/, namespace: 'required' }, ({ path: file }) => ({
      contents: `const all = require(${JSON.stringify(file)});\nmodule.exports = all.default ?? all;`,
      loader: 'js',
      resolveDir: plan.shims,
    }));
    build.onResolve({ filter: /^rimward$/ }, ({ kind }) => standIn(path.join(plan.shims, 'rimward.js'), kind));
    build.onResolve({ filter: named(Object.keys(ABSENT)) }, ({ path: name, importer, kind }) => {
      const way = ABSENT[bare(name)] ?? ABSENT[name];
      if (importer.includes('/node_modules/')) {
        if (!importer.startsWith(tools)) absent.set(bare(name), path.relative(plan.folder, importer));
        return { path: bare(name), namespace: 'absent', pluginData: way };
      }
      if (kind === 'require-resolve') return undefined;
      return { errors: [{ text: `Node module "${bare(name)}" is not there: ${way}`, detail: { way } }] };
    });
    build.onLoad({ filter: /.*/, namespace: 'absent' }, ({ path: name, pluginData }) => ({
      contents: absentSource(name, pluginData),
      loader: 'js',
    }));
    build.onLoad({ filter: /\.([cm]?[jt]s|tsx)$/ }, async ({ path: file }) => {
      if (!file.startsWith(tools) && !file.startsWith(plan.shims)) {
        if (LARGE.test(await readFile(file, 'utf8'))) signsOrEncrypts = true;
      }
      return undefined;
    });
    build.onResolve({ filter: NATIVE }, ({ path: name }) => ({
      errors: [{
        text: `package "${name}" is a native add-on: machine code cannot run in the sandbox`,
        detail: { way: 'take a package that is pure JavaScript, or do this part in a Rust or C function' },
      }],
    }));
    build.onResolve({ filter: /\.node$/ }, ({ path: name }) => ({
      errors: [{
        text: `"${name}" is a native add-on: machine code cannot run in the sandbox`,
        detail: { way: 'take a package that is pure JavaScript, or do this part in a Rust or C function' },
      }],
    }));
    build.onResolve({ filter: SDK }, async ({ path: name, resolveDir, kind, pluginData, importer }) => {
      if (pluginData === 'seen') return undefined;
      const found = await build.resolve(name, { resolveDir, kind, importer, pluginData: 'seen' });
      if (found.errors.length === 0) return found;
      return { errors: [{
        text: `"${name}" is not there: the node brings no AWS SDK`,
        detail: { way: 'call the service over HTTPS with fetch, or add the package to dependencies and give it credentials' },
      }] };
    });
  },
};

const common = {
  bundle: true,
  platform: 'neutral',
  target: 'es2022',
  // What is made for browsers and workers uses fetch and Web Crypto, which are there.
  mainFields: ['browser', 'module', 'main'],
  conditions: ['worker', 'browser', 'module'],
  nodePaths: [tools],
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'silent',
  logOverride: { 'import-is-undefined': 'silent' },
  absWorkingDir: plan.folder,
  plugins: [nodeModules],
};

const userBuild = {
  ...common,
  stdin: {
    contents: `export * from ${JSON.stringify(plan.entry)}; export * as module from ${JSON.stringify(plan.entry)};`,
    resolveDir: plan.folder,
    sourcefile: 'rimward-entry.js',
    loader: 'js',
  },
  format: 'iife',
  globalName: 'rimwardHandler',
  define: {
    __dirname: '"/var/task"',
    __filename: '"/var/task/index.js"',
    'import.meta.url': '"file:///var/task/index.js"',
    global: 'globalThis',
  },
  loader: { '.html': 'text', '.txt': 'text', '.css': 'text', '.svg': 'text', '.pem': 'text' },
  footer: { js: 'return rimwardHandler;' },
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: 'external',
  sourcesContent: false,
  outfile: plan.userOut,
};

/** A bundle with `await` at its top level is a module: of the other forms there is none that waits. */
const waiting = { format: 'esm', globalName: undefined, footer: {} };
const TOP_LEVEL_AWAIT = /^Top-level await is currently not supported/;

/** Bundles, and once more as a module if one of the files waits at its top level. */
async function waitingOrNot(bundle) {
  try {
    return [await bundle(false), false];
  } catch (failure) {
    if (!failure.errors?.some((error) => TOP_LEVEL_AWAIT.test(error.text))) throw failure;
    return [await bundle(true), true];
  }
}

/** The body of a function of a module: what it exports at its end is what the function returns. */
function returned(module) {
  const at = module.lastIndexOf('export{');
  if (at < 0) throw new Error('the bundle of a module exports nothing');
  const [names, rest] = module.slice(at + 'export{'.length).split('}', 2);
  const members = names.split(',').map((name) => {
    const [own, exported] = name.split(' as ');
    return `${JSON.stringify(exported ?? own)}:${own}`;
  });
  return `${module.slice(0, at)}return{${members.join(',')}}${rest}`;
}

function shown(message) {
  const at = message.location;
  const way = message.detail?.way ?? message.notes?.map((note) => note.text).filter(Boolean).join('; ');
  return {
    text: message.text,
    file: at?.file ?? null,
    line: at?.line ?? null,
    column: at ? at.column + 1 : null,
    excerpt: at?.lineText ?? null,
    way: way || null,
  };
}

async function run() {
  const bundleUser = (waits) => {
    const define = { ...userBuild.define, WITH_SIGNATURES_AND_CIPHERS: String(signsOrEncrypts) };
    return esbuild.build({ ...userBuild, ...(waits ? waiting : {}), define, write: false });
  };
  // Whether they are needed is known when all files have been seen, and so is whether a module waits at its top level.
  let [user, waits] = await waitingOrNot(bundleUser);
  if (signsOrEncrypts) [user, waits] = await waitingOrNot(bundleUser);
  const text = (ending) => user.outputFiles.find((file) => file.path.endsWith(ending)).text;
  // The line that is put before the code is a `;` before its map.
  const map = { ...JSON.parse(text('.map')), file: undefined };
  map.mappings = `;${map.mappings}`;
  const encoded = Buffer.from(JSON.stringify(map)).toString('base64');
  const mapped = `//# sourceMappingURL=data:application/json;base64,${encoded}`;
  const body = waits ? returned(text('.js')) : text('.js');
  await writeFile(plan.userOut, `export const waits = ${waits}; export default ${waits ? 'async ' : ''}function () {\n${body}\n}\n${mapped}\n`);
  await writeFile(
    plan.files,
    `export default ${JSON.stringify(plan.taskFiles)};\nexport const exportName = ${JSON.stringify(plan.export)};\n`,
  );
  const shim = await esbuild.build({
    ...common,
    entryPoints: [path.join(plan.shims, 'lambda.js')],
    format: 'esm',
    external: ['wasi:*', 'rimward:edge/*'],
    define: { WITH_SIGNATURES_AND_CIPHERS: 'false' },
    minifySyntax: true,
    minifyWhitespace: true,
    alias: { 'rimward:handler': plan.userOut, 'rimward:task': plan.files },
    sourcemap: 'external',
    sourcesContent: false,
    outfile: plan.out,
  });
  const warnings = [...user.warnings, ...shim.warnings].map(shown);
  for (const [name, file] of absent) {
    warnings.push({ text: `Node module "${name}" is not there; where this package uses it, the call fails`, file, way: ABSENT[name] });
  }
  return { ok: true, errors: [], warnings };
}

let result;
try {
  result = await run();
} catch (failure) {
  if (!failure.errors) throw failure;
  result = { ok: false, errors: failure.errors.map(shown), warnings: (failure.warnings ?? []).map(shown) };
}
console.log(JSON.stringify(result));
