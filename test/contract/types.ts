import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DOCUMENTS } from './documents.js';
import type { Finding, Report } from './findings.js';

/** Generates types from the documents, and compares them with the types of lib/; see types/answers.ts. */

const run = promisify(execFile);
const requireOfRun = createRequire(import.meta.url);
const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, '../..');
const TYPES = join(HERE, 'types');
/** git ignores them, because they belong to the vendors. */
const GENERATED = join(TYPES, 'generated');

/** @throws Error if the types of a document cannot be generated. */
export async function examineTypes(folder: string): Promise<Report> {
  rmSync(GENERATED, { recursive: true, force: true });
  mkdirSync(GENERATED);
  const generator = join(dirname(requireOfRun.resolve('openapi-typescript/package.json')), 'bin/cli.js');
  for (const name of DOCUMENTS) {
    const output = join(GENERATED, `${name}.d.ts`);
    await run(process.execPath, [generator, join(folder, `${name}.json`), '--output', output]);
  }
  const findings = [...(await compile()), ...(await compareNames())];
  return {
    findings,
    summary: `${DOCUMENTS.length} documents as types, and what lib/ reads by name is in them`,
  };
}

/** Uses the compiler of the generator, which is older than the package's. */
async function compile(): Promise<Finding[]> {
  const compiler = requireOfRun.resolve('typescript/bin/tsc');
  try {
    await run(process.execPath, [compiler, '--project', TYPES, '--pretty', 'false'], { cwd: ROOT });
    return [];
  } catch (error) {
    const output = (error as { readonly stdout?: unknown }).stdout;
    if (typeof output !== 'string' || output === '') throw error;
    return errorsIn(output);
  }
}

/** The claims of types/answers.ts that do not compile. The package's own compiler checks lib/. */
function errorsIn(output: string): Finding[] {
  const errors = [...output.matchAll(/^test\/contract\/types\/([\w./]+)\((\d+),\d+\): error (TS\d+: .*)$/gm)];
  return errors.map(([, file = '', line = '', message = '']) => {
    const claim = readFileSync(join(TYPES, file), 'utf8').split('\n')[Number(line) - 1]?.trim() ?? '';
    return { document: 'types', operation: `${file}, line ${line}`, what: `${claim} ${message}` };
  });
}

/** Finds names that lib/ reads without a check in types/answers.ts, and listed names that lib/ does not read. */
async function compareNames(): Promise<Finding[]> {
  // By a variable, so that the repository's compiler, which has no generated types, does not read it.
  const answers = new URL('types/answers.ts', import.meta.url).href;
  const { NAMES_READ } = (await import(answers)) as {
    readonly NAMES_READ: Readonly<Record<string, Readonly<Record<string, true>>>>;
  };
  const files = ['okta', 'cli/admin', 'channels/twilio'].flatMap((room) =>
    readdirSync(join(ROOT, 'lib', room))
      .filter((file) => file.endsWith('.ts'))
      .map((file) => `${room}/${file}`),
  );
  return ['console/reaction.ts', 'console/sample-call.ts', ...files].flatMap((file) => {
    const source = readFileSync(join(ROOT, 'lib', file), 'utf8');
    const said = Object.keys(NAMES_READ[file] ?? {});
    if (said.length === 0 && (!source.includes('fieldOf(') || WITHOUT_DOCUMENT.has(file))) return [];
    const read = namesIn(source);
    const complain = (what: string): Finding => ({
      document: 'types',
      operation: relative(ROOT, join(TYPES, 'answers.ts')),
      what,
    });
    return [
      ...read
        .filter((name) => !said.includes(name))
        .map((name) => complain(`lib/${file} reads ${name}, which is not listed`)),
      ...said
        .filter((name) => !read.includes(name))
        .map((name) => complain(`${name} is listed, but lib/${file} does not read it`)),
    ];
  });
}

/** The token endpoint of RFC 6749, the key set of RFC 7517, and events of the System Log: no document describes their `debugData`. */
const WITHOUT_DOCUMENT = new Set(['okta/access-token.ts', 'okta/hook-keys.ts', 'okta/event-hook.ts']);

/** `fieldOf(body, 'name')`, `body['name']`; not `Type['name']`. */
function namesIn(source: string): readonly string[] {
  const byFunction = source.split('\n').filter((line) => /fieldOf\(/i.test(line));
  const quoted = byFunction.flatMap((line) => [...line.matchAll(/'(\w+)'/g)]);
  const indexed = source.matchAll(/(?:\b[a-z]\w*|\))\['(\w+)'\]/g);
  const names = [...quoted, ...indexed].map(([, name = '']) => name);
  return [...new Set(names)];
}
