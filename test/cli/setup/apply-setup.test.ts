import { expect } from 'chai';
import { applySetup, type SetupReport } from '#lib/cli/setup/apply-setup.js';
import { OktaApiError } from '#lib/core/errors.js';
import type { SetupPlan, SetupStep } from '#lib/cli/admin/setup-plan.js';
import { captureTerminal } from '../captured-terminal.js';
import { patientTime } from '../runs.js';

const BUSY = new OktaApiError('OKTA_HTTP_ERROR', 'Okta is busy', { status: 503 });
const REFUSED = new OktaApiError('OKTA_HTTP_ERROR', 'Okta refuses', { status: 400 });

/** A step with two changes, which runs `run`. */
function step(does: string, run: () => unknown = () => undefined): SetupStep {
  const changes = [
    { field: 'name', from: undefined, to: 'Codes' },
    { field: 'the longest field', from: 'one', to: 'two' },
  ];
  return {
    does,
    changes,
    run: async () => {
      await run();
    },
  };
}

interface Given {
  readonly isSure?: boolean;
  /** The answer at a terminal. Without it there is no terminal. */
  readonly answer?: string;
  readonly check?: (plan: SetupPlan) => Promise<readonly string[]>;
}

/** Applies a setup that returns these plans in turn, then the last one again. Returns the report and the output. */
async function carry(plans: readonly Partial<SetupPlan>[], { isSure = true, answer, check }: Given = {}) {
  const { terminal, stdout, stderr, stdin } = captureTerminal({ isTTY: answer !== undefined });
  if (answer !== undefined) stdin.write(`${answer}\n`);
  const time = patientTime();
  const report: SetupReport = {
    command: 'setup',
    org: 'org',
    result: 'unchanged',
    done: [],
    warnings: [],
    next: [],
  };
  const left = [...plans];
  let last = left[0];
  const setup = {
    check,
    plan: (): Promise<SetupPlan> => {
      last = left.shift() ?? last;
      return Promise.resolve({ steps: [], warnings: [], ...last });
    },
  };
  const error: unknown = await applySetup(setup, report, { terminal, time, isSure }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return {
    error,
    report,
    done: report.done.map(({ does }) => does),
    stdout: stdout(),
    stderr: stderr(),
    waits: time.waits,
    left: left.length,
  };
}

const one = step('Create it');
const two = step('Activate it');
const SHOWN_ONE = `Create it
  name               Codes
  the longest field  one -> two
`;

describe('applySetup', () => {
  it('shows all steps, runs them one by one, and reports each', async () => {
    const warnings = ['Odd.'];
    const made = await carry([{ steps: [one, two], warnings }, { steps: [two], warnings }, { id: 'cal1' }]);
    expect(made.stdout).to.equal(
      `${SHOWN_ONE}${SHOWN_ONE.replace('Create', 'Activate')}✔ Create it: done\n✔ Activate it: done\n`,
    );
    // It prints each warning once.
    expect(made).to.deep.include({ error: undefined, stderr: '! Odd.\n', waits: [] });
    expect(made.report).to.deep.include({ result: 'changed', id: 'cal1', warnings });
    expect(made.report.done).to.deep.equal([one, two].map(({ does, changes }) => ({ does, changes })));
  });

  it('runs the check once and only if the plan has steps, and reports its warnings', async () => {
    const asked: number[] = [];
    const check = (plan: SetupPlan): Promise<readonly string[]> => {
      asked.push(plan.steps.length);
      return Promise.resolve(['Short.']);
    };
    const made = await carry([{ steps: [one, two] }, { steps: [two] }, {}], { check });
    expect(asked).to.deep.equal([2]);
    expect(made.stderr).to.equal('! Short.\n');
    expect(made.report.warnings).to.deep.equal(['Short.']);
    await carry([{}], { check });
    expect(asked).to.have.length(1);
  });

  it('makes a new plan after a refusal, and goes on with it if it differs', async () => {
    const refused = step('Create it', () => {
      throw REFUSED;
    });
    const made = await carry([{ steps: [refused] }, { steps: [two] }, { steps: [two] }, {}]);
    expect(made.error).to.equal(undefined);
    expect(made.done).to.deep.equal(['Activate it']);
    const blocked = await carry([
      { steps: [refused] },
      { steps: [refused], obstacle: { message: 'It is theirs.', remedy: 'Ask them.' } },
    ]);
    expect(blocked.error).to.include({ code: 'IN_THE_WAY' });
    // The new plan is the same, so the refusal is final.
    expect((await carry([{ steps: [refused, two] }])).error).to.equal(REFUSED);
    // A plan with one step less is different.
    const less = await carry([{ steps: [refused, two] }, { steps: [refused] }, {}]);
    expect(less.error).to.equal(undefined);
  });

  for (const error of [
    new OktaApiError('OKTA_UNAUTHORIZED', 'no', { status: 401 }),
    new OktaApiError('OKTA_RATE_LIMITED', 'no', { status: 429 }),
    new OktaApiError('OKTA_UNREACHABLE', 'no'),
    new TypeError('no'),
  ]) {
    it(`makes no new plan after ${'code' in error ? error.code : error.name}`, async () => {
      const failing = step('Create it', () => {
        throw error;
      });
      const made = await carry([{ steps: [failing] }, { steps: [two] }]);
      expect(made.error).to.equal(error);
      expect(made.left).to.equal(1);
    });
  }

  it('tries again while Okta is busy, and reports a step as done if Okta did it despite the error', async () => {
    const busy = step('Create it', () => {
      throw BUSY;
    });
    const made = await carry([{ steps: [busy] }, { steps: [busy] }, { steps: [] }]);
    expect(made.stderr).to.equal(
      '… Okta cannot make the change at the moment: trying again for 60 s\n… Okta cannot make the change at the moment: trying again for 58 s\n',
    );
    expect(made.waits).to.deep.equal([2_000, 2_000]);
    expect(made).to.deep.include({ error: undefined, done: ['Create it'] });
    expect(made.report.result).to.equal('changed');
    expect(made.stdout).to.equal(`${SHOWN_ONE}✔ Create it: done\n`);
  });

  it('fails after a minute if Okta stays busy', async () => {
    const busy = step('Create it', () => {
      throw BUSY;
    });
    const made = await carry([{ steps: [busy] }]);
    expect(made.error).to.equal(BUSY);
    expect(made.waits).to.have.length(30);
    expect(made.done).to.deep.equal([]);
  });

  it('fails after a minute if Okta does not show the change', async () => {
    const made = await carry([{ steps: [one] }]);
    expect(made.waits).to.deep.equal(Array.from({ length: 30 }, () => 2_000));
    expect(made.stderr.split('\n')[0]).to.equal('… Okta does not show the change yet: trying again for 60 s');
    expect(made.stderr.split('\n').at(-2)).to.equal(
      '… Okta does not show the change yet: trying again for 2 s',
    );
    expect(made.error).to.include({
      exitCode: 1,
      code: 'NOT_SHOWN',
      message: 'Okta accepted the change, but does not show it after 60 s.',
      remedy: 'Run this again in a few minutes: it changes only what is not up to date.',
    });
    expect(made.done).to.deep.equal(['Create it']);
  });

  it('waits up to a minute for each step', async () => {
    const waiting = (steps: readonly SetupStep[]) => Array.from({ length: 21 }, () => ({ steps }));
    const made = await carry([...waiting([one, two]), ...waiting([two]), {}]);
    expect(made.error).to.equal(undefined);
    expect(made.waits).to.have.length(40);
    expect(made.done).to.deep.equal(['Create it', 'Activate it']);
  });

  it('fails after 12 steps if somebody else changes it back each time', async () => {
    const made = await carry(
      Array.from({ length: 20 }, (_, count) => ({ steps: [count % 2 === 0 ? one : two] })),
    );
    expect(made.error).to.include({
      exitCode: 1,
      code: 'CHANGED_MEANWHILE',
      message: 'Somebody else changes it at the same time.',
      remedy: 'Find out who or what changes it (Okta: Reports > System Log), and run this again.',
    });
    expect(made.done).to.have.length(12);
  });
});
