// Where positions in the bundle come from: `node locate.mjs BUNDLE.map FILE`, where FILE holds what a tool said. Prints the
// first position that lies in the user's files, as { file, line, column }, or null.

import { readFile } from 'node:fs/promises';
import { SourceMap } from 'node:module';
import path from 'node:path';

const [mapFile, saidFile] = process.argv.slice(2);
const map = new SourceMap(JSON.parse(await readFile(mapFile, 'utf8')));
let found = null;
for (const [, line, column] of (await readFile(saidFile, 'utf8')).matchAll(/bundle\.js:(\d+):(\d+)/g)) {
  const origin = map.findEntry(Number(line) - 1, Number(column) - 1);
  if (!origin.originalSource || /(^|\/)(node_modules|shims)\//.test(origin.originalSource)) continue;
  found = { file: path.resolve(path.dirname(mapFile), origin.originalSource), line: origin.originalLine + 1, column: origin.originalColumn + 1 };
  break;
}
console.log(JSON.stringify(found));
