import { execFile } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import ts from 'typescript';
import { ROOT } from '#harness/consumer.js';
import type { HookEvent, OktaTelephonyHookOptions } from '#lib/index.js';
import { COUNTERS, GAUGES, HISTOGRAMS, type MetricRow } from '#lib/observe/metric-table.js';
import { freePort } from '#harness/free-port.js';
import { BOB, CODE, startScene } from '#harness/scene.js';

const run = promisify(execFile);
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** The TypeScript under a heading of the README. */
function codeUnder(heading: string): string {
  const section = readme.slice(readme.indexOf(`## ${heading}`));
  const [, code = ''] = /```ts\n(.*?)```/s.exec(section) ?? [];
  return code;
}

describe('the README', () => {
  const file = join(ROOT, 'test', `readme-${process.pid}.tmp.ts`);
  afterEach(() => {
    rmSync(file, { force: true });
  });

  it('shows a test of a gateway that runs as it stands', async () => {
    const code = codeUnder('Test your gateway').replaceAll('3100', String(await freePort()));
    writeFileSync(file, code);
    const { stdout } = await run(process.execPath, ['--import', 'tsx', file], { cwd: ROOT });
    const lines = stdout.split('\n').filter((line) => !line.startsWith('{"'));
    expect(lines[0]).to.equal('sent');
    expect(lines.join('\n')).to.include("channel: 'sms'");
  });

  it('has every fault of the emulators', () => {
    const types = readFileSync(join(ROOT, 'lib/testing/faults.ts'), 'utf8');
    const kinds = [...types.matchAll(/readonly kind: '(\w+)'/g)].map(([, kind]) => kind);
    const section = /^### Faults$(.*?)^### /ms.exec(readme)?.[1] ?? '';
    const told = [...section.matchAll(/^\| `(\w+)` +\|/gm)].map(([, kind]) => kind);
    expect(kinds).to.have.length.above(10);
    // The first is the table's own head.
    expect(told).to.deep.equal(['kind', ...kinds]);
  });

  it('has every key of faultCallbacks()', () => {
    const types = readFileSync(join(ROOT, 'lib/testing/twilio-callbacks.ts'), 'utf8');
    const fields = /interface CallbackFault \{(.*?)\n\}/s.exec(types)?.[1] ?? '';
    const keys = [...fields.matchAll(/readonly (\w+)\?:/g)].map(([, key]) => `\`${key}\``);
    const told = /^- `faultCallbacks(.*?)(?=^- )/ms.exec(readme)?.[1] ?? '';
    expect(keys).to.have.length(6);
    for (const key of keys) expect(told).to.include(key);
  });

  for (const heading of ['Write a channel', 'Texts and languages']) {
    it(`shows what compiles as it stands: ${heading}`, () => {
      writeFileSync(file, codeUnder(heading));
      const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
        config: object;
      };
      const { options } = ts.parseJsonConfigFileContent({ ...config, files: [file] }, ts.sys, ROOT);
      const program = ts.createProgram([file], options);
      const problems = ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText);
      expect(problems).to.deep.equal([]);
    });
  }

  it('shows texts that are taken, and of which none is warned of', async () => {
    writeFileSync(file, codeUnder('Texts and languages'));
    const { texts } = (await import(pathToFileURL(file).href)) as Pick<OktaTelephonyHookOptions, 'texts'>;
    const events: HookEvent[] = [];
    const scene = await startScene({ hook: { texts, onEvent: (event) => events.push(event) } });
    try {
      const { phone, id } = BOB;
      await scene.call({ userId: id, phoneNumber: phone, msgTemplate: undefined });
      const body = scene.twilio.messages.at(-1)?.body ?? '';
      expect(readme.replaceAll('204981', CODE)).to.include(`\n\`\`\`\n${body}\n\`\`\`\n`);
      expect(
        events.filter((event) => event.type === 'configuration.warned' && event.option.startsWith('texts')),
      ).to.be.empty;
    } finally {
      await scene.close();
    }
  });

  it('has every metric, with its labels and what it tells', () => {
    const section = /^## Metrics$(.*?)^## /ms.exec(readme)?.[1] ?? '';
    const told = [...section.matchAll(/^\| `([a-z_]+)` +\| (.*?) +\| (.*?) +\|$/gm)].map(
      ([, name, labels = '', help]) => [
        name,
        [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label),
        help,
      ],
    );
    const rows = [COUNTERS, HISTOGRAMS, GAUGES].flatMap((table) => Object.values<MetricRow>(table));
    expect(told).to.deep.equal(rows.map(({ name, labels, help }) => [name, labels, help]));
  });

  it('has a table of contents with every section, and links to none that is not there', () => {
    const anchorOf = (heading: string): string =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-');
    // What is in a block of code is no heading.
    const text = readme.replaceAll(/^```.*?^```$/gms, '');
    const headings = [...text.matchAll(/^(#{2,3}) (.*)$/gm)];
    const links = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = '']) => anchor);
    const anchors = headings.map(([, , heading = '']) => anchorOf(heading));
    expect(links.filter((anchor) => !anchors.includes(anchor))).to.deep.equal([]);
    const contents = text.slice(0, text.indexOf('\n## '));
    const sections = headings.filter(([, level]) => level === '##');
    const missing = sections
      .map(([, , heading = '']) => anchorOf(heading))
      .filter((anchor) => !contents.includes(`(#${anchor})`));
    expect(missing).to.deep.equal([]);
  });

  it('shows pictures that are there, and says in words what is on them', () => {
    const pictures = [...readme.matchAll(/!\[([^\]]*)\]\(([^)]+)\)/g)];
    expect(pictures).to.have.length.above(2);
    for (const [, words = '', file = ''] of pictures) {
      expect(existsSync(join(ROOT, file)), file).to.equal(true);
      expect(words).to.have.length.above(40);
    }
  });

  it('draws the handlers of a call in the order in which the hook mounts them', () => {
    const hook = readFileSync(join(ROOT, 'lib/hook.ts'), 'utf8');
    const [, mounted = ''] = /const answerHook = chain\((.*?)\);/s.exec(hook) ?? [];
    const [, afterProof = ''] = /const afterProof = \[(.*?)\]/s.exec(hook) ?? [];
    const chain = [...mounted.replace('...afterProof', afterProof).matchAll(/handle\.(\w+)/g)].map(
      ([, name]) => name,
    );
    const drawn = [...readme.matchAll(/<b>(\w+)<\/b>/g)].map(([, name]) => name);
    expect(chain).to.have.length.above(7);
    expect(drawn).to.deep.equal(chain);
  });

  it('has the voices of calls', () => {
    const voices = readFileSync(join(ROOT, 'lib/twilio/voices.ts'), 'utf8');
    const ofOurWords = voices.slice(0, voices.indexOf('  cy:'));
    const names = [...ofOurWords.matchAll(/'(Polly\.\w+)'/g)]
      .map(([, name]) => name)
      .filter((name) => name !== 'Polly.Liv');
    expect(names).to.have.length.above(15);
    for (const name of names) expect(readme).to.include(name);
  });
});
