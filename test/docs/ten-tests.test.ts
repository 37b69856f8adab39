import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { transformSync } from 'esbuild';
import { parse } from 'yaml';
import { buildIfStale, builtFiles, makeConsumer, ROOT, type Consumer } from '#harness/consumer.js';
import { onlyInGate } from '#harness/only-gate.js';
import { installToolsOnce } from '#harness/own-tools.js';
import { sectionOf } from './pages.js';
import { snippetIn } from './snippets.js';

/** The tests that the guide gives to users, unchanged, by each command of its table. */

const SECTION = sectionOf('docs/test/test.md', 'Ten tests');
const javaScriptIn = (section: string): string => /^```js\n(.*?)^```$/ms.exec(section)?.[1] ?? '';
const TESTS = javaScriptIn(SECTION);

interface Runner {
  /** As the table names it. */
  readonly name: string;
  /** A line above the tests; empty for most runners. */
  readonly firstLine: string;
  readonly nodeOptions: string;
  /** `node`, or a program of the runner. */
  readonly program: string;
  readonly words: readonly string[];
}

const RUNNERS: readonly Runner[] = [
  ...SECTION.matchAll(
    /^\| +`?([\w:]+)`? +\| +(?:–|`(.+?)`) +\| `(?:NODE_OPTIONS=(\S+) )?(?:npx )?(.+)` +\|$/gm,
  ),
].map(([, name = '', firstLine = '', nodeOptions = '', command = '']) => {
  const [program = '', ...words] = command.split(' ');
  return { name, firstLine, nodeOptions, program, words };
});

/** The programs that the table names, and an option without which a busy machine would fail a test. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  mocha: [join(ROOT, 'node_modules/mocha/bin/mocha.js'), '--timeout=60000'],
  vitest: [join(ROOT, 'test/runners/node_modules/vitest/vitest.mjs'), '--testTimeout=60000'],
  jest: [join(ROOT, 'test/runners/node_modules/jest/bin/jest.js'), '--testTimeout=60000'],
  node: [],
};

describe("the guide's ten tests", () => {
  let consumer: Consumer;
  before(() => {
    buildIfStale();
    consumer = makeConsumer('express', builtFiles());
  });
  after(() => {
    consumer.remove();
  });

  /** Runs tests in a project of their own, with more files. Rejects if one fails. */
  const run = async (
    { firstLine, nodeOptions, program, words }: Runner,
    tests = TESTS,
    files: Readonly<Record<string, string>> = {},
  ): Promise<string> => {
    const project = mkdtempSync(join(consumer.folder, 'project-'));
    // CommonJS, as npm makes a project.
    writeFileSync(join(project, 'package.json'), '{ "private": true }');
    writeFileSync(join(project, 'gateway.test.mjs'), `${firstLine}\n${tests}`);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);
    const args = [...(PROGRAMS[program] ?? []), ...words];
    const env = { PATH: process.env['PATH'], NO_COLOR: '1', NODE_OPTIONS: nodeOptions };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: project, env });
    return stdout + stderr;
  };

  it('run with four runners', () => {
    expect(RUNNERS.map(({ name }) => name)).to.deep.equal(['Mocha', 'Vitest', 'Jest', 'node:test']);
    expect(RUNNERS.map(({ program }) => program)).to.have.members(Object.keys(PROGRAMS));
    expect(TESTS.match(/^ {2}it\(/gm)).to.have.length(10);
  });

  it('run in the workflow of the guide by a command of the table', () => {
    const [, workflow = ''] = /^```yaml\n(.*?)^```$/ms.exec(SECTION) ?? [];
    const { jobs } = parse(workflow) as { jobs: { gateway: { steps: readonly { run?: string }[] } } };
    const commands = jobs.gateway.steps.flatMap(({ run: command }) => command ?? []);
    expect(commands).to.have.length(2);
    expect(SECTION).to.include(`| \`${commands[1] ?? ''}\``);
  });

  const runnerOf = (program: string): Runner =>
    RUNNERS.find((runner) => runner.program === program) ?? expect.fail(`${program} is not in the table`);

  it('pass in node:test', async () => {
    expect(await run(runnerOf('node'))).to.match(/pass 10/);
  });

  it("pass in Mocha, see the guide's mocked provider by `dispatcher`, and no global MockAgent", async () => {
    const global = `
      import { setGlobalDispatcher } from 'undici';
      const global = new MockAgent();
      global.disableNetConnect();
      setGlobalDispatcher(global);
    `;
    const mock = javaScriptIn(sectionOf('docs/test/test.md', 'Mock a provider')).replace(
      'acme.js',
      'acme.mjs',
    );
    const channel = snippetIn('docs/deliver/custom-channel.md', 'Custom channel');
    const { code } = transformSync(channel, { loader: 'ts', format: 'esm' });
    expect(await run(runnerOf('mocha'), TESTS + mock + global, { 'acme.mjs': code })).to.match(/11 passing/);
  });

  describe('in the gate', () => {
    before(function () {
      onlyInGate(this, 'it installs two runners with many dependencies');
      installToolsOnce('runners');
    });

    for (const runner of RUNNERS.filter(({ program }) => program !== 'node'))
      it(`pass in ${runner.name}`, async () => {
        expect(await run(runner)).to.match(/Tests:? +10 passed|10 passing/);
      });
  });
});
