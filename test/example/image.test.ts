import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { ROOT } from '#harness/consumer.js';
import { ExampleRun } from '#harness/example-run.js';
import { onlyInGate } from '#harness/only-gate.js';
import { witness } from '#harness/witness.js';

interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** The stages of the Dockerfile, each with its instructions. */
function readStages(): readonly (readonly Instruction[])[] {
  const text = readFileSync(join(ROOT, 'example/Dockerfile'), 'utf8')
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n/g, ' ');
  const stages: Instruction[][] = [];
  for (const [, name = '', rest = ''] of text.matchAll(/^([A-Z]+) +(.+)$/gm)) {
    if (name === 'FROM') stages.push([]);
    else stages.at(-1)?.push({ name, text: rest });
  }
  return stages;
}

const GLOBS: Readonly<Record<string, string>> = { '**/': '(?:.*/)?', '*': '[^/]*' };

/** Whether the ignore file lets a file of the checkout into the build, as Docker reads it: the last line that matches decides. */
function isLetIn(path: string): boolean {
  const lines = readFileSync(join(ROOT, 'example/Dockerfile.dockerignore'), 'utf8').split('\n');
  let isIgnored = false;
  for (const line of lines.filter((text) => text !== '' && !text.startsWith('#'))) {
    const glob = line.replace(/^!/, '').replaceAll('.', '\\.');
    const pattern = glob.replace(/\*\*\/|\*/g, (sign) => GLOBS[sign] ?? '');
    // A pattern that matches a folder also matches everything in it.
    if (new RegExp(`^${pattern}(?:/.*)?$`).test(path)) isIgnored = !line.startsWith('!');
  }
  return !isIgnored;
}

/** Copies as COPY does: the last word is the destination. */
function copy(text: string, from: string, to: string, isThere: (path: string) => boolean = () => true): void {
  const words = text.split(/ +/).filter((word) => !word.startsWith('--'));
  const target = words.at(-1) ?? '';
  for (const source of words.slice(0, -1).map((word) => word.replace(/^\/app\//, ''))) {
    const isFolder = statSync(join(from, source)).isDirectory();
    const place = join(to, target, !isFolder && target.endsWith('/') ? basename(source) : '');
    cpSync(join(from, source), place, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => statSync(path).isDirectory() || isThere(relative(from, path).replaceAll(sep, '/')),
    });
    expect(existsSync(place), `the build has no ${source}`).to.equal(true);
  }
}

/** Runs a RUN line without downloads: links what the line would install, unlinks what it would remove. */
async function play(command: string, folder: string): Promise<void> {
  const modules = join(folder, 'node_modules');
  if (command.startsWith('npm ci ')) {
    symlinkSync(join(ROOT, 'node_modules'), modules, 'junction');
  } else if (command.startsWith('npm prune --omit=dev ')) {
    unlinkSync(modules);
    const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      readonly dependencies: Readonly<Record<string, string>>;
    };
    for (const name of Object.keys(dependencies)) {
      mkdirSync(dirname(join(modules, name)), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules', name), join(modules, name), 'junction');
    }
  } else {
    const env = { PATH: process.env['PATH'], HOME: folder, npm_config_offline: 'true' };
    await promisify(execFile)('sh', ['-c', command], { cwd: folder, env });
  }
}

describe('the container image', function () {
  // These tests build the package, start a process and wait until it has drained.
  this.timeout(180_000);
  const [build = [], image = []] = readStages();
  const textOf = (name: string): string =>
    image.find((instruction) => instruction.name === name)?.text ?? expect.fail(`there is no ${name}`);
  let folder: string;
  let run: ExampleRun;
  let origin: string;

  before(async function () {
    onlyInGate(this, 'it builds the package again');
    folder = mkdtempSync(join(tmpdir(), 'okta-telephony-image-'));
    const [built, app] = [join(folder, 'build'), join(folder, 'app')];
    for (const { name, text } of build) {
      if (name === 'COPY') copy(text, ROOT, built, isLetIn);
      if (name === 'RUN') for (const command of text.split(/ +&& +/)) await play(command, built);
    }
    for (const { name, text } of image) if (name === 'COPY') copy(text, built, app);
    const [variable = '', value = ''] = textOf('ENV').split('=');
    const env = { [variable]: value, DEMO: '1', PORT: '0' };
    run = new ExampleRun(env, JSON.parse(textOf('CMD')) as string[], app);
    await run.printed(/Ctrl-C ends it/);
    [, origin = ''] = await run.printed(/Open +(http:\S+)/);
  });
  after(() => {
    // After a failed build there is no process.
    (run as ExampleRun | undefined)?.kill();
    if ((folder as string | undefined) !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  it('gets no file that the build does not need, and no file with settings', () => {
    for (const path of ['.env', 'lib/.env.local', 'example/gateway.env', 'example/deploy/compose.yaml'])
      expect(isLetIn(path), path).to.equal(false);
    for (const path of ['.git/config', 'node_modules/express/index.js', 'dist/index.js', 'test/hook.test.ts'])
      expect(isLetIn(path), path).to.equal(false);
  });

  it('is built from the files that the ignore file lets in, and starts in production with all pages', async () => {
    await run.printed(/Note: the gateway listens on every address/);
    for (const path of ['/health/live', '/health/ready', '/login'])
      expect((await fetch(origin + path)).status, path).to.equal(200);
    const page = await (await fetch(`${origin}/phones/`)).text();
    const assets = [...page.matchAll(/(?:src|href)="([^"]+\.(?:js|css))"/g)].map(([, path = '']) => path);
    expect(assets.filter((path) => path.endsWith('.css'))).not.to.be.empty;
    expect(assets.filter((path) => path.endsWith('.js'))).not.to.be.empty;
    for (const path of assets)
      expect((await fetch(new URL(path, `${origin}/phones/`))).status, path).to.equal(200);
  });

  it('passes its own health check until it has drained after SIGTERM', async () => {
    const [program = '', ...words] = JSON.parse(
      /CMD (.*)$/.exec(textOf('HEALTHCHECK'))?.[1] ?? '',
    ) as string[];
    const env = { PATH: process.env['PATH'], PORT: new URL(origin).port };
    const isWell = (): Promise<boolean> =>
      promisify(execFile)(program, words, { env }).then(
        () => true,
        () => false,
      );
    expect(await isWell()).to.equal(true);
    run.child.kill('SIGTERM');
    await run.printed(/SIGTERM: finishing/);
    expect((await fetch(`${origin}/health/live`)).status).to.equal(200);
    expect((await fetch(`${origin}/health/ready`)).status).to.equal(503);
    expect(await run.exitCode()).to.equal(0);
    expect(await isWell()).to.equal(false);
    witness(run.stdout);
    expect(run.stderr).to.equal('');
  });
});
