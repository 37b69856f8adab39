// Lints the OpenAPI document of our routes; nobody is asked for a newer linter, and nobody is told.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { env, execPath, exit } from 'node:process';

const require = createRequire(import.meta.url);
const linter = join(dirname(require.resolve('@redocly/cli/package.json')), 'bin/cli.js');
const options = ['.docs/openapi.yaml', '--config', '.docs/redocly.yaml', '--format', 'stylish'];
const { status } = spawnSync(execPath, [linter, 'lint', ...options], {
  stdio: 'inherit',
  env: { ...env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
});
exit(status ?? 1);
