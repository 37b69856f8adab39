import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { commandLine } from '#lib/cli/command.js';
import { startOktaEmulator, type OktaEmulator } from '#lib/testing/index.js';
import { PROGRAM } from '#harness/own-process.js';
import { FULL_DISK, needFullDisk } from '#harness/full-disk.js';
import { ROOT } from '#harness/consumer.js';
import { ExampleRun } from '#harness/example-run.js';
import { until } from '#harness/until.js';
import { mustNotShow } from '#harness/witness.js';
import { pageAt } from '../docs/pages.js';
import { run, HOOK_SECRET } from './runs.js';

const ESCAPE = '\u001b[';

describe('the command line', () => {
  let okta: OktaEmulator;
  beforeEach(async () => {
    okta = await startOktaEmulator();
  });
  afterEach(() => okta.close());
  const ENV = { PUBLIC_URL: 'http://127.0.0.1:9/okta/telephony', HOOK_SECRET };

  it('prints its help without colours, and an error in colours only at a terminal without NO_COLOR', async () => {
    expect((await run(okta, '--help', { answers: [] })).stdout).to.not.include(ESCAPE);
    expect((await run(okta, 'deploy')).stderr).to.not.include(ESCAPE);
    expect((await run(okta, 'deploy', { answers: [] })).stderr).to.include(ESCAPE);
    const plain = await run(okta, 'deploy', { answers: [], env: { NO_COLOR: '1' } });
    expect(plain.stderr).to.not.include(ESCAPE);
  });

  it('names an unknown command and a similar one, unless the word may be a secret', async () => {
    mustNotShow('s3cr3t-as-an-argument');
    const all =
      'init, setup attribute, setup hook, setup event-hook, setup whatsapp-template, doctor, preview, demo.';
    for (const [args, message] of [
      ['bogus', `There is no command "bogus". The commands are ${all}`],
      ['setup bogus --yes', `There is no command "setup bogus". The commands are ${all}`],
      ['dcotor', `There is no command "dcotor". Did you mean "doctor"? The commands are ${all}`],
      ['setpu hook', `There is no command "setpu". Did you mean "setup hook"? The commands are ${all}`],
      ['setup hok', `There is no command "setup hok". Did you mean "setup hook"? The commands are ${all}`],
      ['s3cr3t-as-an-argument', `The first word is not a command. The commands are ${all}`],
      ['setup', `Name a command: ${all}`],
      ['setup --yes', `Name a command: ${all}`],
      ['--yes', `Name a command: ${all}`],
    ] as const) {
      expect((await run(okta, `${args} --json`)).json(), args).to.deep.nested.include({
        'error.code': 'BAD_USE',
        'error.message': message,
      });
    }
  });

  it('does not print the value of an unexpected argument, which may be a secret', async () => {
    mustNotShow('as-an-argument');
    for (const args of [
      '--secret as-an-argument',
      '--secret=as-an-argument',
      'as-an-argument',
      '--yes=as-an-argument',
    ]) {
      const made = await run(okta, `setup hook ${args} --json`);
      expect(made.code).to.equal(2);
      expect(made.json()).to.deep.nested.include({ result: 'failed', 'error.code': 'BAD_USE' });
    }
  });

  it('prints its version with --version, also as JSON, and lists the option in --help', async () => {
    const { stdout } = await run(okta, '--version');
    expect(stdout).to.match(/^\d+\.\d+\.\d+/);
    for (const args of ['--version --json', '--json --version'])
      expect((await run(okta, args)).json()).to.deep.equal({ version: stdout.trim() });
    expect((await run(okta, '--help')).stdout).to.include('--version');
  });

  it('prints its help as JSON with --json', async () => {
    const all = await run(okta, '--help --json');
    expect(all.stderr).to.equal('');
    const commands = all.json()['commands'] as { command: string }[];
    expect(commands.map(({ command }) => command)).to.include.members(['setup hook', 'doctor', 'demo']);
    expect((await run(okta, 'setup --help --json')).json()['commands']).to.have.length(4);
    const own = (await run(okta, 'setup hook -h --json')).json();
    expect(own).to.include({ command: 'setup hook' }).and.have.property('help').that.includes('PUBLIC_URL');
    expect(own['options']).to.deep.include({ option: '--yes', short: '-y', takesValue: false });
    expect(own['options']).to.deep.include({ option: '--env', takesValue: true });
  });

  it('names the option that a misspelt one stands for', async () => {
    const { stderr } = await run(okta, 'doctor --timout 5');
    expect(stderr).to.include('There is no option --timout. Did you mean --timeout?');
  });

  describe('takes variables', () => {
    let folder: string;
    beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'okta-telephony-hook-'))));
    afterEach(() => {
      rmSync(folder, { recursive: true, force: true });
    });

    it('from the file of --env, unless the environment sets them', async () => {
      const file = join(folder, 'setup.env');
      writeFileSync(file, `HOOK_SECRET=${HOOK_SECRET}\nPUBLIC_URL=https://other.example\n`);
      const env = { ...ENV, HOOK_SECRET: '' };
      const made = await run(okta, `setup hook --yes --skip-check --env ${file}`, { env });
      expect(made.code, made.stderr).to.equal(0);
      expect(okta.inlineHooks[0]?.channel).to.deep.nested.include({
        uri: ENV.PUBLIC_URL,
        'authScheme.value': HOOK_SECRET,
      });
    });

    it('and exits with 2 if the file of --env does not exist', async () => {
      const made = await run(okta, `setup hook --env ${join(folder, 'none.env')}`, { env: ENV });
      expect(made.code).to.equal(2);
    });

    it('from the user at a terminal, without showing the input', async () => {
      const env = { PUBLIC_URL: ENV.PUBLIC_URL, OKTA_API_TOKEN: '' };
      const answers = [okta.apiToken, HOOK_SECRET, 'yes'];
      const made = await run(okta, 'setup hook --skip-check', { env, answers });
      expect(made.code, made.stderr).to.equal(0);
      expect(made.stderr).to.include('OKTA_API_TOKEN').and.include('HOOK_SECRET');
      expect(okta.inlineHooks[0]?.channel.authScheme?.value).to.equal(HOOK_SECRET);
    });

    it('and names the missing variable after an empty input at a terminal', async () => {
      const made = await run(okta, 'setup attribute', { env: { OKTA_API_TOKEN: '' }, answers: [''] });
      expect(made.code).to.equal(2);
      expect(made.stderr).to.include('OKTA_API_TOKEN is missing');
    });

    it('and refuses by name those with quotes or spaces around the value', async () => {
      const secrets = [
        `${HOOK_SECRET}\r`,
        `\u201C${HOOK_SECRET}\u201D`,
        `${HOOK_SECRET}\u200B`,
        `'${HOOK_SECRET}`,
      ];
      for (const secret of secrets) {
        const env = { HOOK_SECRET: secret, PUBLIC_URL: `"${ENV.PUBLIC_URL}"` };
        const made = await run(okta, 'setup hook --yes --skip-check', { env });
        expect(made.code, JSON.stringify(secret)).to.equal(2);
        for (const name of ['HOOK_SECRET', 'PUBLIC_URL'])
          expect(made.stderr).to.match(new RegExp(`^- ${name} has quotes or spaces around its value`, 'm'));
        expect(made.stderr.match(/^- /gm)).to.have.length(2);
        expect(made.stderr).not.to.include(ENV.PUBLIC_URL);
      }
      expect(okta.inlineHooks).to.deep.equal([]);
    });

    it('from a file with quotes and Windows line ends', async () => {
      const file = join(folder, 'setup.env');
      writeFileSync(file, `HOOK_SECRET="${HOOK_SECRET}"\r\nPUBLIC_URL=${ENV.PUBLIC_URL} \r\n`);
      const env = { HOOK_SECRET: '', PUBLIC_URL: '' };
      const made = await run(okta, `setup hook --yes --skip-check --env ${file}`, { env });
      expect(made.code, made.stderr).to.equal(0);
      expect(okta.inlineHooks[0]?.channel).to.deep.nested.include({
        uri: ENV.PUBLIC_URL,
        'authScheme.value': HOOK_SECRET,
      });
    });

    it('and ignores a Redis password that it cannot decode if the command does not use Redis', async () => {
      mustNotShow('pass%word-5e');
      const env = { REDIS_URL: 'redis://:pass%word-5e@127.0.0.1:1' };
      const made = await run(okta, 'setup attribute --yes', { env });
      expect(made.code, made.stderr).to.equal(0);
    });

    it('and refuses those of an API token together with those of a service app', async () => {
      const made = await run(okta, 'setup attribute', { env: { OKTA_CLIENT_ID: '0oa1' } });
      expect(made.code).to.equal(2);
      expect(made.stderr).to.include('OKTA_API_TOKEN does not go with').and.not.include('is missing');
    });
  });

  it('prints next steps as commands to paste, with the --env of this run', () => {
    const line = (env: string | undefined): string => commandLine({ options: { env } }, 'setup hook');
    expect(line(undefined)).to.equal('npx okta-telephony-hook setup hook');
    expect(line('./gateway.env')).to.equal('npx okta-telephony-hook setup hook --env ./gateway.env');
    expect(line("Ana's gateway.env")).to.equal(
      String.raw`npx okta-telephony-hook setup hook --env 'Ana'\''s gateway.env'`,
    );
  });

  it('runs as its own process in a clone, with the command of the guide, and ends', async () => {
    expect(pageAt('docs/reference/cli.md')).to.include(`write \`node ${PROGRAM}\` instead of \`npx`);
    const env = { PATH: process.env['PATH'], OKTA_ORG_URL: okta.orgUrl, OKTA_API_TOKEN: okta.apiToken };
    const program = [PROGRAM, 'setup', 'attribute', '--yes', '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, program, { cwd: ROOT, env });
    expect(JSON.parse(stdout)).to.include({ result: 'changed' });
  });

  it('ends on Ctrl-C as every program does, also while a command waits', async () => {
    okta.fault({ kind: 'hang' });
    const env = { OKTA_ORG_URL: okta.orgUrl, OKTA_API_TOKEN: okta.apiToken };
    const waiting = new ExampleRun(env, [process.execPath, PROGRAM, 'setup', 'attribute', '--yes']);
    await until(() => okta.requests.length > 0);
    waiting.child.kill('SIGINT');
    await waiting.exitCode();
    expect(waiting.child.signalCode).to.equal('SIGINT');
  });

  // The demo's own process shows that a closed pipe is no failure.
  it('ends without a stack trace if the disk is full', async function () {
    needFullDisk(this);
    const command = `exec ${process.execPath} ${PROGRAM} --help >${FULL_DISK}`;
    const ended = new ExampleRun({}, ['bash', '-c', command]);
    expect(await ended.exitCode()).to.equal(1);
    expect(ended.stderr).to.equal('');
  });
});
