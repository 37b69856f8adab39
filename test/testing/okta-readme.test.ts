import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import ts from 'typescript';
import { ROOT } from '#harness/consumer.js';

describe("the README's test on the Okta emulator", () => {
  const file = join(ROOT, 'test', `readme-okta-${process.pid}.tmp.ts`);
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const section = readme.slice(readme.indexOf('### Okta emulator'));
  const [, code = ''] = /```ts\n(.*?)```/s.exec(section) ?? [];

  before(() => {
    // Against the source, so that it needs no build.
    writeFileSync(file, code.replace("'okta-telephony-hook/testing'", "'../lib/testing/index.js'"));
  });
  after(() => {
    rmSync(file, { force: true });
  });

  it('runs as it stands', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', file], { cwd: ROOT });
    expect(stdout).to.include('Codes: ACTIVE');
  });

  it('compiles as it stands', () => {
    const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
      config: object;
    };
    const { options } = ts.parseJsonConfigFileContent({ ...config, files: [file] }, ts.sys, ROOT);
    const problems = ts.getPreEmitDiagnostics(ts.createProgram([file], options));
    expect(problems.map(({ messageText }) => messageText)).to.deep.equal([]);
  });
});
