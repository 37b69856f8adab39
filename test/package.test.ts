import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { expect } from 'chai';
import ts from 'typescript';
import {
  buildIfStale,
  filesUnder,
  makeConsumer,
  manifest,
  packedFiles,
  ROOT,
  TYPESCRIPT_7,
} from '#harness/consumer.js';
import type { Consumer } from '#harness/consumer.js';
import {
  allowsUndefined,
  compile,
  COMPILED,
  filesOfPackage,
  isImportForEffect,
  parse,
  problemsOf,
  visit,
} from '#harness/consumer-types.js';
import { GUIDES, linksOf } from './docs/pages.js';

/** What `import` takes, of package.json's `exports`. */
const ENTRIES = Object.keys(manifest.exports).map((entry) => manifest.name + entry.slice(1));
const MODULES = ENTRIES.filter((entry) => !entry.endsWith('.json'));
const ABSOLUTE_PATH = /(?:file:\/\/|["'\s])\/(?:home|Users|root|tmp|builds)\/|\b[A-Z]:\\/;

/** The code that the build makes of a source. The sources of a page become one script and one style sheet; pages share another. */
function builtFrom(file: string): string[] {
  if (file.includes('/browser/')) {
    return /\/(?:main\.ts|main\.css|base\.css)$/.test(file) ? [`dist/${file.replace(/\.ts$/, '.js')}`] : [];
  }
  return [`dist/${file.replace(/\.ts$/, '.js')}`];
}

/** By the name of a script, what it reports. */
interface Printed {
  readonly reports: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly rest: string;
}

describe('the package', () => {
  const consumers = new Map<string, Consumer>();
  let files: readonly string[];
  before(() => {
    buildIfStale();
    files = packedFiles();
    for (const express of ['express', 'express4'] as const)
      consumers.set(express, makeConsumer(express, files));
  });
  after(() => {
    for (const consumer of consumers.values()) consumer.remove();
  });
  const consumerOf = (express: string): Consumer =>
    consumers.get(express) ?? expect.fail('it was laid out before');
  /** What scripts of a consumer printed in one process, by the name of the script, and what else was printed. */
  const runTogether = async (express: string, ...scripts: readonly string[]): Promise<Printed> => {
    const lines = (await consumerOf(express).node('together.mjs', ...scripts)).split('\n');
    const isReport = (line: string): boolean => line.startsWith('{');
    const reports = lines.filter(isReport).map((line) => JSON.parse(line) as Printed['reports']);
    return {
      reports: Object.assign({}, ...reports) as Printed['reports'],
      rest: lines.filter((line) => !isReport(line)).join('\n'),
    };
  };

  it('publishes the build of every source, the example, the pages with their pictures, and beside the types nothing else', () => {
    const built = filesUnder(join(ROOT, 'lib')).flatMap((file) => builtFrom(file));
    const below = (folder: string): string[] =>
      filesUnder(join(ROOT, folder)).map((file) => `${folder}/${file}`);
    const papers = [
      ...GUIDES,
      ...below('.docs/screenshots'),
      // Secrets of who has run the example are not in git, and not in the package.
      ...below('example').filter((file) => !file.endsWith('.env')),
      '.docs/openapi.yaml',
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'TROUBLESHOOTING.md',
      'package.json',
    ];
    const rest = files.filter((file) => !file.endsWith('.d.ts'));
    expect(rest).to.deep.equal([...papers, ...built].sort());
  });

  it('has the target of every link of its pages', () => {
    const dead: string[] = [];
    for (const page of files.filter((file) => file.endsWith('.md'))) {
      for (const { target } of linksOf(page)) {
        const [path = ''] = target.split('#');
        const file = posix.join(posix.dirname(page), path);
        const isThere = files.some((one) => one === file || one.startsWith(`${file}/`));
        if (path !== '' && !/^\w+:/.test(target) && !isThere) dead.push(`${page}: ${target}`);
      }
    }
    expect(dead).to.deep.equal([]);
  });

  it('names in no file a path of the machine that built it, and has no maps to sources that are not there', () => {
    // The bytes of a picture may look like a path by chance.
    const texts = files.filter((file) => !file.endsWith('.png'));
    expect(texts).to.have.length.above(100);
    const telling = texts.filter((file) => {
      const text = readFileSync(join(ROOT, file), 'utf8');
      return text.includes(ROOT) || ABSOLUTE_PATH.test(text) || text.includes('sourceMappingURL');
    });
    expect(telling).to.deep.equal([]);
    // As it would be told.
    expect(
      'file:///home/me/a.ts "/Users/me/a.ts" C:\\\\a.ts'.split(' ').map((it) => ABSOLUTE_PATH.test(it)),
    ).to.not.include(false);
  });

  describe('as an application loads it', () => {
    /** Each was a process that ended by itself. */
    let printed: ReadonlyMap<string, Printed>;
    before(async () => {
      const [express, express4] = await Promise.all([
        runTogether(
          'express',
          // First, as it hides ioredis before anything is imported.
          'without-ioredis.mjs',
          'without-prom-client.mjs',
          'esm.mjs',
          'commonjs.cjs',
          'vonage-alone.mjs',
          'closed-port.mjs',
          'three-tests.mjs',
        ),
        // The first one requires every entry before it imports it.
        runTogether('express4', 'exports.cjs', 'commonjs.cjs', 'esm.mjs'),
      ]);
      printed = new Map(Object.entries({ express, express4 }));
    });
    const reportOf = (script: string, express = 'express'): Readonly<Record<string, unknown>> =>
      printed.get(express)?.reports[script] ?? expect.fail(`${script} reported nothing`);

    for (const [express, major] of [
      ['express', '5'],
      ['express4', '4'],
    ] as const) {
      for (const script of ['esm', 'commonjs']) {
        it(`serves a call from ${script} with Express ${major}, whatever the environment says`, () => {
          const served = reportOf(script, express);
          expect(served['expressVersion']).to.match(new RegExp(`^${major}\\.`));
          expect(served).to.deep.include({
            ready: { okta: 'ok', twilio: 'ok', hookKeys: 'ok', state: 'ok', channels: {} },
            action: 'sent',
            channels: ['whatsapp'],
            hasCode: true,
            ownRoute: 'the gateway',
          });
        });
      }
    }

    it('is a whole gateway in five lines for an organisation with Vonage alone, with a log by pino', () => {
      const served = reportOf('vonage-alone');
      expect(served).to.deep.include({
        ready: { okta: 'ok', twilio: 'ok', hookKeys: 'ok', state: 'ok', channels: { sms: 'ok' } },
        action: 'sent',
        hasCode: [true],
        callbackStatus: 404,
        hosts: 2,
      });
      const log = served['log'] as readonly Readonly<Record<string, unknown>>[];
      expect(log.map(({ level, event }) => [level, event])).to.deep.equal([
        [40, 'configuration.warned'],
        [30, 'request.answered'],
      ]);
      expect(log[0]).to.deep.include({ where: ['senders.voice'] });
      expect(log[1]).to.include({ userId: '00u1anasilveira00001' });
      expect(log[1]?.['msg']).to.match(/^okta-telephony-hook: /);
    });

    it('sends by the next provider where a channel, written as the guide says, meets a closed port', () => {
      expect(reportOf('closed-port')).to.deep.equal({
        answers: Array<string>(8).fill('sent'),
        attempts: ['ACME refused UNREACHABLE', 'TWILIO accepted'],
        received: 8,
      });
    });

    it("runs a user's three tests on the emulators", () => {
      // The process fails if one of them fails.
      expect(printed.get('express')?.rest).to.match(/^# pass 3$/m);
    });

    it('says when the hook is made that prom-client is missing, and needs it for nothing else', () => {
      const told = reportOf('without-prom-client');
      expect(told).to.include({ name: 'ConfigurationError', cause: 'MODULE_NOT_FOUND' });
      expect(String(told['problems'])).to.match(
        /^metrics: prom-client cannot be loaded .*npm install prom-client@15$/,
      );
    });

    it('needs ioredis only where a Redis is given by its URL, and says so when it is missing', () => {
      expect(reportOf('without-ioredis')).to.deep.equal({
        hasState: false,
        told: {
          name: 'ConfigurationError',
          problems: [
            'connection: ioredis cannot be loaded from where this package is installed; npm install ioredis',
          ],
          cause: 'MODULE_NOT_FOUND',
        },
      });
    });

    it('resolves and loads every entry of exports by import and by require, and nothing beside them', () => {
      const { loaded, deep } = reportOf('exports', 'express4') as {
        loaded: Record<string, { isThere: boolean; required: string[]; imported: string[] }>;
        deep: string;
      };
      expect(Object.keys(loaded)).to.deep.equal(ENTRIES);
      for (const entry of Object.values(loaded)) {
        expect(entry.isThere).to.equal(true);
        expect(entry.imported).to.not.be.empty;
        expect(entry.required).to.deep.equal(entry.imported);
      }
      expect(deep).to.equal('ERR_PACKAGE_PATH_NOT_EXPORTED');
      for (const target of Object.values(manifest.exports)) {
        const paths = typeof target === 'string' ? [target] : Object.values(target);
        for (const path of paths) expect(files).to.include(path.slice(2));
      }
    });
  });

  it('runs nothing, loads no optional peer, reads no environment and leaves the global passport alone when imported and made', async () => {
    // The process has to end by itself for this to resolve.
    const printed = await consumerOf('express').node('imports.mjs', ...MODULES);
    // Before the report, the hook's own logger says which vendor cannot be reached.
    const [report = '', ...log] = printed.trim().split('\n').reverse();
    expect(log.map((line) => (JSON.parse(line) as Record<string, unknown>)['part'])).to.have.members([
      'okta',
      'twilio',
    ]);
    const left = JSON.parse(report) as Record<string, unknown>;
    expect(left['peersLoadedByImport']).to.deep.equal([]);
    expect(left['afterImport']).to.deep.equal(left['before']);
    expect(left['afterFactory']).to.deep.equal(left['before']);
    expect(left['environmentReads']).to.deep.equal([]);
    expect(left['passportAfter']).to.deep.equal(left['passportBefore']);
    expect(left).to.deep.include({ twilio: 'TWILIO_UNREACHABLE', newGlobals: [], newListeners: 0 });
  });

  it('has a program that runs as installed', async () => {
    const { bin } = manifest;
    expect(Object.keys(bin)).to.deep.equal([manifest.name]);
    const program = bin[manifest.name] ?? '';
    expect(files).to.include(program.slice(2));
    expect(readFileSync(join(ROOT, program), 'utf8')).to.match(/^#!\/usr\/bin\/env node\n/);
    const installed = join('node_modules', manifest.name, program);
    const version = await consumerOf('express').node(installed, '--version');
    expect(version.trim()).to.equal(manifest.version);
  });

  it('has modules that do nothing but declare, but for the program, so that a bundler may leave them out', () => {
    expect(manifest.sideEffects).to.equal(false);
    const program = manifest.bin[manifest.name]?.slice(2);
    const acting = files
      // What a page loads runs in it, and nobody bundles it.
      .filter((file) => file.endsWith('.js') && file !== program && !file.endsWith('/browser/main.js'))
      .filter((file) =>
        parse(join(ROOT, file)).statements.some(
          (statement) => ts.isExpressionStatement(statement) || isImportForEffect(statement),
        ),
      );
    expect(acting).to.deep.equal([]);
  });

  describe('its types', () => {
    let program: ts.Program;
    before(() => {
      const { folder } = consumerOf('express');
      const { config } = ts.readConfigFile(join(folder, 'tsconfig.json'), (path) =>
        ts.sys.readFile(path),
      ) as {
        config: object;
      };
      program = compile(folder, ts.parseJsonConfigFileContent(config, ts.sys, folder));
    });

    it('compile in a strict consumer that checks libraries and has no types of Express', () => {
      expect(problemsOf(program)).to.deep.equal([]);
      // Whose declarations they need: Node's only.
      const owners = program
        .getSourceFiles()
        .map(({ fileName }) => /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(fileName)?.[1]);
      expect([...new Set(owners)].filter((owner) => owner !== undefined).sort()).to.deep.equal([
        '@types/node',
        manifest.name,
        'typescript',
        // Of @types/node.
        'undici-types',
      ]);
    });

    it('are published, and no others: none of the inside, such as the settings of Twilio', () => {
      const needed = filesOfPackage(program).map(
        ({ fileName }) => /dist\/.*/.exec(fileName)?.[0] ?? fileName,
      );
      expect(files.filter((file) => file.endsWith('.d.ts'))).to.deep.equal(needed.sort());
      expect(needed.filter((file) => file.startsWith('dist/channels/twilio/'))).to.deep.equal([
        'dist/channels/twilio/calls.d.ts',
        'dist/channels/twilio/messages.d.ts',
        'dist/channels/twilio/verify.d.ts',
      ]);
    });

    it('take a dispatcher of undici 7 and of undici 8', async () => {
      const args = ['--module', 'nodenext', ...COMPILED, 'dispatchers.ts'];
      expect(await consumerOf('express').node(TYPESCRIPT_7, ...args)).to.equal('');
    });

    it('compile with TypeScript 7', async () => {
      expect(await consumerOf('express').node(TYPESCRIPT_7, '-p', '.')).to.equal('');
    });

    // Node10 resolution knows no `exports`: without `typesVersions` no entry but the first resolves.
    it('compile in a CommonJS consumer with the resolution node10', () => {
      const options = ['--module', 'commonjs', '--moduleResolution', 'node10', '--ignoreDeprecations', '6.0'];
      const command = ts.parseCommandLine([...options, ...COMPILED, 'commonjs.cts']);
      expect(command.errors).to.deep.equal([]);
      const node10 = compile(consumerOf('express').folder, command);
      expect(filesOfPackage(node10)).to.not.be.empty;
      expect(problemsOf(node10)).to.deep.equal([]);
    });

    it('are every one used by that consumer', () => {
      const checker = program.getTypeChecker();
      const exported = Object.values(manifest.exports)
        .flatMap((target) => (typeof target === 'string' ? [] : [target.types]))
        .flatMap((path) => {
          const file = filesOfPackage(program).find(({ fileName }) => fileName.endsWith(path.slice(1)));
          const symbol = file === undefined ? undefined : checker.getSymbolAtLocation(file);
          expect(symbol, `the consumer imports ${path}`).to.not.equal(undefined);
          return symbol === undefined ? [] : checker.getExportsOfModule(symbol).map(({ name }) => name);
        });
      const consumer = readFileSync(join(ROOT, 'test/consumers/strict.ts'), 'utf8');
      expect(exported).to.include.members(['oktaTelephonyHook', 'OktaTelephonyHookOptions']);
      expect(exported.filter((name) => !new RegExp(`\\b${name}\\b`).test(consumer))).to.deep.equal([]);
    });

    it('let every optional property be undefined', () => {
      const bare: string[] = [];
      let count = 0;
      for (const file of filesOfPackage(program)) {
        visit(file, (node) => {
          if (!ts.isPropertySignature(node) && !ts.isPropertyDeclaration(node)) return;
          if (node.questionToken === undefined) return;
          count += 1;
          if (!allowsUndefined(node.type)) bare.push(`${file.fileName}: ${node.name.getText(file)}`);
        });
      }
      expect(count).to.be.greaterThan(50);
      expect(bare).to.deep.equal([]);
    });
  });
});
