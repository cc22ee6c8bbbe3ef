// Makes the component: `node componentize.mjs TOOLS BUNDLE WIT WORLD OUT`, as the tool's own command line does, with one
// function of its bindings replaced.
//
// The bindings hand texts to the node. They count the bytes of a text first, one character after the other, in an
// interpreter: that took as long as parsing the event. The engine's own encoder does it at once.

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , tools, bundle, wit, world, out, ...more] = process.argv;
const tool = (file) => pathToFileURL(path.join(tools, 'node_modules/@bytecodealliance/componentize-js', file));
const { splicer } = await import(tool('lib/spidermonkey-embedding-splicer.js'));

const ENCODE = /function _utf8AllocateAndEncode\(s, realloc, memory\) \{[\s\S]*?\n\}\n/;
const encode = `function _utf8AllocateAndEncode(s, realloc, memory) {
  if (typeof s !== 'string') throw new TypeError('expected a string, received [' + typeof s + ']');
  if (s.length === 0) return { ptr: 1, len: 0 };
  const bytes = TEXT_ENCODER_UTF8.encode(s);
  const ptr = realloc(0, 0, 1, bytes.length);
  new Uint8Array(memory.buffer, ptr, bytes.length).set(bytes);
  return { ptr, len: bytes.length };
}
`;

const spliceBindings = splicer.spliceBindings.bind(splicer);
splicer.spliceBindings = (...args) => {
  const spliced = spliceBindings(...args);
  const found = spliced.jsBindings.match(ENCODE);
  // The versions are pinned: another text means that somebody has raised them, and has to look here.
  if (!found || spliced.jsBindings.includes('.codepoints')) throw new Error('the bindings of componentize-js are not those that were expected');
  return { ...spliced, jsBindings: spliced.jsBindings.replace(ENCODE, () => encode) };
};

const { componentize } = await import(tool('src/componentize.js'));
const { component } = await componentize({ sourcePath: bundle, witPath: path.resolve(wit), worldName: world, debugBuild: more.includes('--debug') });
await writeFile(out, component);
