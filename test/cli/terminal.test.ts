import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { Terminal } from '#lib/cli/terminal.js';

describe('what the command line tells', () => {
  const tell = (secrets: readonly string[], value: object, isJson = true): string => {
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const terminal = new Terminal({ stdin, stdout, stderr }, { isJson, mayColour: false });
    for (const secret of secrets) terminal.hide(secret);
    if (isJson) terminal.json(value);
    else terminal.say(JSON.stringify(value));
    return String(stdout.read());
  };
  const jsonOf = (secrets: readonly string[], value: object): unknown => JSON.parse(tell(secrets, value));

  it('hides a secret in values, wherever it stands there', () => {
    expect(jsonOf(['correct-horse'], { a: ['xcorrect-horsex', { b: 'correct-horse' }], n: 1 })).to.deep.equal(
      {
        a: ['x[secret]x', { b: '[secret]' }],
        n: 1,
      },
    );
    expect(tell(['correct-horse'], { a: 'xcorrect-horsex' }, false)).to.include('"x[secret]x"');
  });

  it('leaves the names of properties and of checks as they are', () => {
    const value = { result: 'unchanged', transaction: [{ check: 'okta.variables', message: 'ok' }] };
    expect(jsonOf(['transaction', 'variables', 'unchanged'], value)).to.deep.equal(value);
  });

  it('leaves JSON readable, whatever a secret is made of', () => {
    for (const secret of ['": "okta', '\\n  \\n  \\n', '-----\nMIIEvg\n-----', '$& $1 .* (', '{"a":"b"}']) {
      expect(jsonOf([secret], { one: 'okta', two: [`<${secret}>`] }), secret).to.deep.equal({
        one: 'okta',
        two: ['<[secret]>'],
      });
    }
    expect(tell(['line\nby "line"'], { as: 'line\nby "line"' }, false)).to.equal('{"as":"[secret]"}\n');
  });

  it('hides a short secret where it stands alone, and none that is a mere word', () => {
    const text = 'redis.eviction: the hook takes s3cr3t, not xs3cr3t; at redis://:s3cr3t@host';
    expect(jsonOf(['hook', 'redis', 's3cr3t', 'a1'], { text, check: 'redis.eviction' })).to.deep.equal({
      text: 'redis.eviction: the hook takes [secret], not xs3cr3t; at redis://:[secret]@host',
      check: 'redis.eviction',
    });
  });

  it('leaves no rest of a secret that has another one in it', () => {
    expect(
      jsonOf(['password-1', 'redis://:password-1@host'], { a: 'redis://:password-1@host' }),
    ).to.deep.equal({
      a: '[secret]',
    });
  });
});
