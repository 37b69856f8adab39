import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { env, execPath, exit, stderr } from 'node:process';
import { ROOT } from '../harness/consumer.js';
import { installToolsOnce } from '../harness/own-tools.js';

/**
 * Runs one of the tools beside this file: `node --import tsx test/tools/main.ts knip`. Only the gate needs them, and
 * they are a quarter of what `npm ci` would install.
 */

const FOLDER = join(ROOT, 'test/tools');

const [name = '', ...args] = process.argv.slice(2);
const { dependencies } = readJson(join(FOLDER, 'package.json')) as { dependencies: Record<string, string> };
if (!(name in dependencies)) {
  stderr.write(
    `Use: node --import tsx test/tools/main.ts <tool> …\n  a tool: ${Object.keys(dependencies).join(', ')}\n`,
  );
  exit(2);
}
installToolsOnce('tools');
const folder = join(FOLDER, 'node_modules', name);
const { bin } = readJson(join(folder, 'package.json')) as { bin: string | Record<string, string> };
const script = typeof bin === 'string' ? bin : Object.values(bin)[0];
const { status } = spawnSync(execPath, [join(folder, script ?? ''), ...args], {
  stdio: 'inherit',
  // A linter asks for no newer linter and reports nothing.
  env: { ...env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
});
exit(status ?? 1);

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
