import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { expect } from 'chai';
import type TS from 'typescript';
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
import { onlyInGate } from '#harness/only-gate.js';
import { ts } from '#harness/typescript.js';
import { GUIDES, linksOf } from './docs/pages.js';

/** The names that users import, from package.json's `exports`. */
const ENTRIES = Object.keys(manifest.exports).map((entry) => manifest.name + entry.slice(1));
const MODULES = ENTRIES.filter((entry) => !entry.endsWith('.json'));
const ABSOLUTE_PATH = /(?:file:\/\/|["'\s])\/(?:home|Users|root|tmp|builds)\/|\b[A-Z]:\\/;

/** The files that the build makes of a source. What a page runs is text in a module. */
function builtFrom(file: string): string[] {
  if (file.includes('/browser/')) return [];
  return [`dist/${file.replace(/\.ts$/, '.js')}`];
}

/** The reports of scripts, by the name of the script. */
type Reports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

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
    consumers.get(express) ?? expect.fail('the consumer does not exist');
  /** Runs scripts of a consumer in one process. */
  const runTogether = async (express: string, ...scripts: readonly string[]): Promise<Reports> => {
    const lines = (await consumerOf(express).node('together.mjs', ...scripts)).split('\n');
    const reports = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Reports);
    return Object.assign({}, ...reports) as Reports;
  };

  it('contains the build of every source, the example, the guides with pictures and the types, no other file', () => {
    const built = filesUnder(join(ROOT, 'lib')).flatMap((file) => builtFrom(file));
    const below = (folder: string): string[] =>
      filesUnder(join(ROOT, folder)).map((file) => `${folder}/${file}`);
    const papers = [
      ...GUIDES,
      ...below('docs/screenshots'),
      // An .env file of the example has secrets: it is not in git, and not in the package.
      ...below('example').filter((file) => !file.endsWith('.env')),
      'docs/openapi.yaml',
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'TROUBLESHOOTING.md',
      'llms.txt',
      'package.json',
    ];
    const rest = files.filter((file) => !file.endsWith('.d.ts'));
    expect(rest).to.deep.equal([...papers, ...built].sort());
  });

  it('contains the target of every link in its pages', () => {
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

  it('contains no path of the build machine and no source map', () => {
    // The bytes of a picture may look like a path by chance.
    const texts = files.filter((file) => !file.endsWith('.png'));
    expect(texts).to.have.length.above(100);
    const withPath = texts.filter((file) => {
      const text = readFileSync(join(ROOT, file), 'utf8');
      return text.includes(ROOT) || ABSOLUTE_PATH.test(text) || text.includes('sourceMappingURL');
    });
    expect(withPath).to.deep.equal([]);
    // The pattern finds such paths.
    expect(
      'file:///home/me/a.ts "/Users/me/a.ts" C:\\\\a.ts'.split(' ').map((it) => ABSOLUTE_PATH.test(it)),
    ).to.not.include(false);
  });

  describe('in an application', () => {
    /** The output of each process. Both processes end without process.exit(). */
    let printed: ReadonlyMap<string, Reports>;
    before(async () => {
      const [express, express4] = await Promise.all([
        runTogether(
          'express',
          // First, because it hides ioredis before any import.
          'without-ioredis.mjs',
          'without-prom-client.mjs',
          'esm.mjs',
          'commonjs.cjs',
          'vonage-alone.mjs',
          'closed-port.mjs',
        ),
        // The first script requires each entry before it imports it.
        runTogether('express4', 'exports.cjs', 'commonjs.cjs', 'esm.mjs'),
      ]);
      printed = new Map(Object.entries({ express, express4 }));
    });
    const reportOf = (script: string, express = 'express'): Readonly<Record<string, unknown>> =>
      printed.get(express)?.[script] ?? expect.fail(`${script} reported nothing`);

    for (const [express, major] of [
      ['express', '5'],
      ['express4', '4'],
    ] as const) {
      for (const script of ['esm', 'commonjs']) {
        it(`serves a hook call from ${script} with Express ${major}, with vendor variables in the environment`, () => {
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

    it('works with Vonage as the only provider and pino as the logger', () => {
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
        // The stand-in for Okta does not know the user.
        [40, 'request.answered'],
      ]);
      expect(log[0]).to.deep.include({ where: ['senders.voice'] });
      expect(log[1]).to.include({ userId: '00u1anasilveira00001' });
      expect(log[1]?.['msg']).to.match(/^okta-telephony-hook: /);
    });

    it("sends by the next provider if a user's own channel, written as in the guide, meets a closed port", () => {
      expect(reportOf('closed-port')).to.deep.equal({
        answers: Array<string>(8).fill('sent'),
        attempts: ['ACME refused UNREACHABLE', 'TWILIO accepted'],
        received: 8,
      });
    });

    it('throws a ConfigurationError for metrics if prom-client is missing, and makes a hook without metrics', () => {
      const error = reportOf('without-prom-client');
      expect(error).to.include({ name: 'ConfigurationError', cause: 'MODULE_NOT_FOUND' });
      expect(String(error['problems'])).to.match(
        /^metrics: prom-client cannot be loaded .*npm install prom-client@15$/,
      );
    });

    it('needs ioredis only for a Redis URL, and throws a ConfigurationError if it is missing', () => {
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

    it('loads every entry of exports by import and by require, and no other path', () => {
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

  it('leaves no open handle, loaded peer, environment read, new global or changed passport on import and creation', async () => {
    // This resolves only if the process ends without process.exit().
    const printed = await consumerOf('express').node('imports.mjs', ...MODULES);
    // Before the report, the hook's default logger names the vendors that it cannot reach.
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

  it('has a program that prints its version after installation', async () => {
    const { bin } = manifest;
    expect(Object.keys(bin)).to.deep.equal([manifest.name]);
    const program = bin[manifest.name] ?? '';
    expect(files).to.include(program.slice(2));
    expect(readFileSync(join(ROOT, program), 'utf8')).to.match(/^#!\/usr\/bin\/env node\n/);
    const installed = join('node_modules', manifest.name, program);
    const version = await consumerOf('express').node(installed, '--version');
    expect(version.trim()).to.equal(manifest.version);
  });

  it('has only modules without side effects, except for its program, so that a bundler can drop them', () => {
    expect(manifest.sideEffects).to.equal(false);
    const program = manifest.bin[manifest.name]?.slice(2);
    const acting = files
      .filter((file) => file.endsWith('.js') && file !== program)
      .filter((file) =>
        parse(join(ROOT, file)).statements.some(
          (statement) => ts.isExpressionStatement(statement) || isImportForEffect(statement),
        ),
      );
    expect(acting).to.deep.equal([]);
  });

  describe('the types of the package', () => {
    let program: TS.Program;
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
      // The types need only Node's declarations.
      const owners = program
        .getSourceFiles()
        .map(({ fileName }) => /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(fileName)?.[1]);
      expect([...new Set(owners)].filter((owner) => owner !== undefined).sort()).to.deep.equal([
        '@types/node',
        manifest.name,
        'typescript',
        // A dependency of @types/node.
        'undici-types',
      ]);
    });

    it('are exactly the declarations that users need, without internal ones', () => {
      const needed = filesOfPackage(program).map(
        ({ fileName }) => /dist\/.*/.exec(fileName)?.[0] ?? fileName,
      );
      expect(files.filter((file) => file.endsWith('.d.ts'))).to.deep.equal(needed.sort());
      expect(needed.filter((file) => file.startsWith('dist/channels/twilio/'))).to.deep.equal([
        'dist/channels/twilio/calls.d.ts',
        'dist/channels/twilio/lookup.d.ts',
        'dist/channels/twilio/messages.d.ts',
        'dist/channels/twilio/verify.d.ts',
      ]);
    });

    it('accept a dispatcher of undici 7 and of undici 8', async () => {
      const args = ['--module', 'nodenext', ...COMPILED, 'dispatchers.ts'];
      expect(await consumerOf('express').node(TYPESCRIPT_7, ...args)).to.equal('');
    });

    it('compile with TypeScript 7', async () => {
      expect(await consumerOf('express').node(TYPESCRIPT_7, '-p', '.')).to.equal('');
    });

    for (const version of [22, 24, 25, 26]) {
      it(`compile with the declarations of Node ${version}`, async function () {
        onlyInGate(this, 'it compiles all types again');
        const args = ['-p', '.', '--typeRoots', `types-node${version}`, '--listFiles'];
        // It fails if the types do not compile.
        const files = await consumerOf('express').node(TYPESCRIPT_7, ...args);
        expect(files).to.include(`/types-node${version}/crypto.d.ts`).and.not.include('@types/node/');
      });
    }

    // Node10 resolution ignores `exports`: without `typesVersions` only the first entry resolves.
    it('compile in a CommonJS consumer with the resolution node10', () => {
      const options = ['--module', 'commonjs', '--moduleResolution', 'node10', '--ignoreDeprecations', '6.0'];
      const command = ts.parseCommandLine([...options, ...COMPILED, 'commonjs.cts']);
      expect(command.errors).to.deep.equal([]);
      const node10 = compile(consumerOf('express').folder, command);
      expect(filesOfPackage(node10)).to.not.be.empty;
      expect(problemsOf(node10)).to.deep.equal([]);
    });

    it('are all used by the strict consumer', () => {
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

    it('allow undefined for every optional property', () => {
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
