import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { Terminal } from '#lib/cli/terminal.js';
import { captureTerminal } from './captured-terminal.js';

describe('the terminal of the command line', () => {
  const print = (secrets: readonly string[], value: object, isJson = true): string => {
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const terminal = new Terminal({ stdin, stdout, stderr }, { isJson, mayColour: false });
    for (const secret of secrets) terminal.hide(secret);
    if (isJson) terminal.json(value);
    else terminal.say(JSON.stringify(value));
    return String(stdout.read());
  };
  const jsonOf = (secrets: readonly string[], value: object): unknown => JSON.parse(print(secrets, value));

  it('hides a secret anywhere in a value', () => {
    expect(jsonOf(['correct-horse'], { a: ['xcorrect-horsex', { b: 'correct-horse' }], n: 1 })).to.deep.equal(
      {
        a: ['x[secret]x', { b: '[secret]' }],
        n: 1,
      },
    );
    expect(print(['correct-horse'], { a: 'xcorrect-horsex' }, false)).to.include('"x[secret]x"');
  });

  it('does not change property names and check names that equal a secret', () => {
    const value = { result: 'unchanged', transaction: [{ check: 'okta.variables', message: 'ok' }] };
    expect(jsonOf(['transaction', 'variables', 'unchanged'], value)).to.deep.equal(value);
  });

  it('prints valid JSON, whatever characters a secret contains', () => {
    for (const secret of ['": "okta', '\\n  \\n  \\n', '-----\nMIIEvg\n-----', '$& $1 .* (', '{"a":"b"}']) {
      expect(jsonOf([secret], { one: 'okta', two: [`<${secret}>`] }), secret).to.deep.equal({
        one: 'okta',
        two: ['<[secret]>'],
      });
    }
    expect(print(['line\nby "line"'], { as: 'line\nby "line"' }, false)).to.equal('{"as":"[secret]"}\n');
  });

  it('hides a short secret only as a separate word, and no secret that is an ordinary word', () => {
    const text = 'redis.eviction: the hook takes s3cr3t, not xs3cr3t; at redis://:s3cr3t@host';
    expect(jsonOf(['hook', 'redis', 's3cr3t', 'a1'], { text, check: 'redis.eviction' })).to.deep.equal({
      text: 'redis.eviction: the hook takes [secret], not xs3cr3t; at redis://:[secret]@host',
      check: 'redis.eviction',
    });
  });

  it('hides the whole of a secret that contains another one', () => {
    expect(
      jsonOf(['password-1', 'redis://:password-1@host'], { a: 'redis://:password-1@host' }),
    ).to.deep.equal({
      a: '[secret]',
    });
  });

  it('hides a secret of 4 characters as a separate word, of 8 anywhere, and no shorter one', () => {
    const text = 'a1b a1b2 xa1b2 a1b2c3d xa1b2c3d a1b2c3d4 xa1b2c3d4';
    const hidden = (...secrets: readonly string[]): string => print(secrets, [text], false).slice(2, -3);
    expect(hidden('a1b')).to.equal(text);
    expect(hidden('a1b2')).to.equal('a1b [secret] xa1b2 a1b2c3d xa1b2c3d a1b2c3d4 xa1b2c3d4');
    expect(hidden('a1b2c3d')).to.equal('a1b a1b2 xa1b2 [secret] xa1b2c3d a1b2c3d4 xa1b2c3d4');
    expect(hidden('a1b2c3d4')).to.equal('a1b a1b2 xa1b2 a1b2c3d xa1b2c3d [secret] x[secret]');
    expect(print(['wordish', 'wordlike'], ['wordish wordlike'], false)).to.equal('["wordish [secret]"]\n');
    // Only characters outside of words may be next to it.
    expect(print(['s3cr3t'], ['(s3cr3t) _s3cr3t s3cr3t_ és3cr3t s3cr3té'], false)).to.equal(
      '["([secret]) _s3cr3t s3cr3t_ és3cr3t s3cr3té"]\n',
    );
  });

  it('hides the longer of two secrets first, in any order of the calls of hide()', () => {
    for (const secrets of [
      ['password', 'password-and-more'],
      ['password-and-more', 'password'],
    ]) {
      expect(print(secrets, ['password-and-more password'], false)).to.equal('["[secret] [secret]"]\n');
    }
  });

  it('hides a secret with special characters of a regular expression', () => {
    for (const secret of ['\\^$.*+?()[]{}|/', 'a.b.c.d.e', '[a-z]+[a-z]+']) {
      expect(jsonOf([secret], [secret, 'aXbXcXdXe']), secret).to.deep.equal(['[secret]', 'aXbXcXdXe']);
    }
  });

  describe('writes to standard output or standard error', () => {
    for (const [isJson, isTTY, stdout, stderr] of [
      [false, false, 'said\n', 'noted\n'],
      [false, true, '<bold>said</>\n', '<dim>noted</>\n'],
      [true, false, '{\n  "a": 1\n}\n', 'said\nnoted\n'],
      [true, true, '{\n  "a": 1\n}\n', '<bold>said</>\n<dim>noted</>\n'],
    ] as const) {
      it(`${isJson ? 'with' : 'without'} --json, ${isTTY ? 'at a' : 'without a'} terminal`, () => {
        const made = captureTerminal({ isJson, isTTY });
        made.terminal.say('said', 'bold');
        made.terminal.note('noted', 'dim');
        made.terminal.json({ a: 1 });
        expect(made.stdout()).to.equal(stdout);
        expect(made.stderr()).to.equal(stderr);
        expect(made.terminal.isJson).to.equal(isJson);
        expect(made.terminal.isInteractive).to.equal(isTTY);
        expect(made.terminal.hasSymbols).to.equal(isTTY);
      });
    }

    for (const [isJson, place, hasSymbols] of [
      [false, 'stdout', true],
      [false, 'stderr', false],
      [true, 'stdout', false],
      [true, 'stderr', true],
    ] as const) {
      it(`${hasSymbols ? 'with' : 'without'} symbols if ${place} is a terminal, ${isJson ? 'with' : 'without'} --json`, () => {
        const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
        Object.assign(streams[place], { isTTY: true });
        expect(new Terminal(streams, { isJson, mayColour: true }).hasSymbols).to.equal(hasSymbols);
      });
    }
  });

  describe('asks', () => {
    for (const [answer, isYes] of [
      ['y', true],
      ['Y', true],
      ['yes', true],
      [' YES ', true],
      ['ye', false],
      ['yess', false],
      ['oyes', false],
      ['no', false],
      ['', false],
    ] as const) {
      it(`and reads "${answer}" as a ${isYes ? 'yes' : 'no'}`, async () => {
        const { terminal, stdin, stderr, stdout } = captureTerminal();
        stdin.write(`${answer}\n`);
        expect(await terminal.confirm('Go on?')).to.equal(isYes);
        expect(stderr()).to.equal('Go on? [y/N] ');
        expect(stdout()).to.equal('');
      });
    }

    it('and reads the end of its input and Ctrl-C as a no', async () => {
      const ended = captureTerminal();
      ended.stdin.end();
      expect(await ended.terminal.confirm('Go on?')).to.equal(false);
      const broken = captureTerminal({ isTTY: true });
      const asked = broken.terminal.confirm('Go on?');
      broken.stdin.write('\u0003');
      expect(await asked).to.equal(false);
    });

    it('and begins a new line after Ctrl-C and at the end of its input', async () => {
      for (const end of ['\u0003', undefined]) {
        const { terminal, stdin, stderr } = captureTerminal({ isTTY: true });
        const asked = terminal.confirm('Go on?');
        if (end === undefined) stdin.end();
        else stdin.write(end);
        expect(await asked).to.equal(false);
        terminal.note('Nothing was changed.');
        expect(stderr()).to.match(/\nNothing was changed\.\n$/);
      }
    });

    it('for a secret without showing what is typed, and hides it from then on', async () => {
      const { terminal, stdin, stdout, stderr } = captureTerminal({ isTTY: true });
      stdin.write(' typed-secret-1 \n');
      expect(await terminal.askSecret('HOOK_SECRET')).to.equal('typed-secret-1');
      expect(stderr()).to.equal('HOOK_SECRET: \n');
      terminal.say('It is typed-secret-1.');
      expect(stdout()).to.equal('It is [secret].\n');
    });

    it('no question when it reads its whole input', async () => {
      const { terminal, stdin } = captureTerminal();
      stdin.write('one\n');
      stdin.end('two');
      expect(await terminal.readInput()).to.equal('one\ntwo');
    });
  });
});
