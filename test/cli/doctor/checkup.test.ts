import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type sinon from 'sinon';
import { runCheckup } from '#lib/cli/doctor/checkup.js';
import { CommandError } from '#lib/cli/failure.js';
import {
  after as following,
  fail,
  ok,
  once,
  warn,
  type Check,
  type CheckGroup,
} from '#lib/cli/doctor/finding.js';
import { OktaApiError } from '#lib/core/errors.js';
import { fakeClock } from '#harness/fake-clock.js';
import { ROOT } from '#harness/consumer.js';
import { captureTerminal } from '../captured-terminal.js';

const now = (name: string, finding: Awaited<ReturnType<Check['run']>>): Check => ({
  name,
  run: () => Promise.resolve(finding),
});
const failing = (name: string, error: unknown): Check => ({
  name,
  run: () => Promise.reject(error),
});
const hanging = (name: string): Check => ({ name, run: () => new Promise(() => undefined) });

const GROUPS: readonly CheckGroup[] = [
  { title: 'One', checks: [now('one.a', ok('Fine.')), now('one.longer', warn('Perhaps.', 'Look at it.'))] },
  { title: 'Two', checks: [now('two.c', fail('Broken.', 'Mend it.'))] },
];
const REPORT = 'Please report this as a fault of okta-telephony-hook.';

describe('runCheckup', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = fakeClock(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval']);
  });
  afterEach(() => {
    clock.restore();
  });

  // Whole outputs are in test/cli/outputs.
  it('marks each finding with a symbol at a terminal and with a word in a file, which the guide names', async () => {
    const guide = readFileSync(join(ROOT, 'docs/reference/doctor.md'), 'utf8');
    for (const isTTY of [true, false]) {
      const { terminal, stdout, stderr } = captureTerminal({ isTTY });
      const { results, skippedCount } = await runCheckup(GROUPS, { terminal, limitMs: 1_000 });
      expect(stderr()).to.equal('');
      expect(skippedCount).to.equal(0);
      expect(results).to.deep.equal([
        { check: 'one.a', status: 'ok', message: 'Fine.', remedy: null },
        { check: 'one.longer', status: 'warn', message: 'Perhaps.', remedy: 'Look at it.' },
        { check: 'two.c', status: 'fail', message: 'Broken.', remedy: 'Mend it.' },
      ]);
      expect(clock.countTimers()).to.equal(0);
      const marks = stdout().match(isTTY ? /[✔!✘](?= )/g : /^(?:ok|warn|fail)\b/gm) ?? [];
      expect(marks).to.have.length(3);
      for (const mark of marks) expect(guide).to.include(`\`${mark}\``);
    }
  });

  for (const [what, error, message, remedy] of [
    [
      'a CommandError',
      new CommandError('NO_HOOK', 'There is none.', 'Make one.'),
      'There is none.',
      'Make one.',
    ],
    [
      'a CommandError without a remedy',
      new CommandError('NO_HOOK', 'There is none.'),
      'There is none.',
      'Its code is NO_HOOK.',
    ],
    [
      'an error of the Okta API',
      new OktaApiError('OKTA_NOT_FOUND', 'Okta has none', {}),
      'Okta has none',
      'Its code is OKTA_NOT_FOUND.',
    ],
    ['an unexpected error', new TypeError('of somebody'), 'The check itself failed (TypeError).', REPORT],
    ['a thrown text', 'of somebody', 'The check itself failed (string).', REPORT],
  ] as const) {
    it(`reports ${what} as a failed check`, async () => {
      const { terminal } = captureTerminal();
      const groups = [{ title: 'One', checks: [failing('one.a', error)] }];
      expect((await runCheckup(groups, { terminal, limitMs: 1_000 })).results).to.deep.equal([
        { check: 'one.a', status: 'fail', message, remedy },
      ]);
    });
  }

  it('names every two seconds the checks that it waits for, and fails them after the time limit', async () => {
    const { terminal, stdout, stderr } = captureTerminal({ isTTY: true });
    let isClosed = false;
    const close = (): Promise<void> => {
      isClosed = true;
      return Promise.resolve();
    };
    const checks = [now('one.a', ok('Fine.')), hanging('one.b'), hanging('one.c')];
    const running = runCheckup([{ title: 'One', checks, close }], { terminal, limitMs: 4_500 });
    await clock.tickAsync(1_999);
    expect(stderr()).to.equal('');
    // It prints a finished check while others still run.
    expect(stdout()).to.equal('<bold>One</>\n<green>✔ one.a  Fine.</>\n');
    await clock.tickAsync(1);
    expect(stderr()).to.equal('<dim>… still waiting for one.b, one.c</>\n');
    expect(isClosed).to.equal(false);
    await clock.tickAsync(2_500);
    const remedy =
      'Check the network of this machine (egress, DNS, a proxy), or allow more time with --timeout.';
    expect((await running).results.slice(1)).to.deep.equal(
      ['one.b', 'one.c'].map((check) => ({
        check,
        status: 'fail',
        message: 'The check did not finish within 4.5 s.',
        remedy,
      })),
    );
    expect(stderr()).to.equal('<dim>… still waiting for one.b, one.c</>\n'.repeat(2));
    expect(isClosed).to.equal(true);
    expect(clock.countTimers()).to.equal(0);
  });

  it('does not name a finished check among those that it waits for', async () => {
    const { terminal, stderr } = captureTerminal();
    const slow = { name: 'one.b', run: () => new Promise<never>(() => undefined) };
    const running = runCheckup([{ title: 'One', checks: [failing('one.a', new Error('no')), slow] }], {
      terminal,
      limitMs: 3_000,
    });
    await clock.tickAsync(3_000);
    await running;
    expect(stderr()).to.equal('… still waiting for one.b\n');
  });
});

describe('a check that depends on another', () => {
  const NOT_CHECKED = {
    status: 'warn',
    message: 'Not checked, because one failed.',
    remedy: 'See one.',
    failedCheck: 'one',
  };
  const look = (): Promise<ReturnType<typeof ok>> => Promise.resolve(ok('Looked at.'));

  for (const [what, first, found] of [
    ['is ok', now('one', ok('Fine.')), ok('Looked at.')],
    ['warns', now('one', warn('Perhaps.', 'Look.')), ok('Looked at.')],
    ['has failed', now('one', fail('Broken.', 'Mend it.')), NOT_CHECKED],
    ['has thrown', failing('one', new Error('no')), NOT_CHECKED],
    ['was not checked itself', now('two', { ...warn('No.', 'No.'), failedCheck: 'one' }), NOT_CHECKED],
  ] as const) {
    it(`runs unless that has failed: that ${what}`, async () => {
      expect(await following(first, look)()).to.deep.equal(found);
    });
  }

  it('runs once for two calls if it is wrapped in once()', async () => {
    let count = 0;
    const work = once(() => Promise.resolve((count += 1)));
    expect(await Promise.all([work(), work()])).to.deep.equal([1, 1]);
  });
});
