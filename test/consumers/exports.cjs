// Resolves every entry of `exports`, and loads it by require and by import.
'use strict';
const { existsSync } = require('node:fs');
const { name, exports: entriesByPath } = require('okta-telephony-hook/package.json');

void (async () => {
  const entries = Object.keys(entriesByPath).map((path) => name + path.slice(1));
  const loaded = {};
  for (const entry of entries) {
    const required = require(entry);
    const imported = entry.endsWith('.json')
      ? (await import(entry, { with: { type: 'json' } })).default
      : await import(entry);
    loaded[entry] = {
      isThere: existsSync(require.resolve(entry)),
      required: Object.keys(required)
        .filter((name) => name !== '__esModule')
        .sort(),
      imported: Object.keys(imported).sort(),
    };
  }
  let deep = 'loaded';
  try {
    require('okta-telephony-hook/dist/hook.js');
  } catch (error) {
    deep = error.code;
  }
  process.stdout.write(`${JSON.stringify({ exports: { loaded, deep } })}\n`);
})();
