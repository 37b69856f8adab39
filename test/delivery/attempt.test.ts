import { expect } from 'chai';
import type sinon from 'sinon';
import { Budget } from '#lib/core/budget.js';
import type { ConnectedChannel, SendContext } from '#lib/core/channel.js';
import type { ReadyChannel, Delivery } from '#lib/delivery/attempt.js';
import type { AttemptReport } from '#lib/core/events.js';
import { fakeClock } from '#harness/fake-clock.js';
import { makeMessage } from '../channels/twilio/scripted-api.js';
import { dispatchBy, readyChannel } from './sends.js';

type Send = (context: SendContext) => unknown;

const ready = (name: string, send: Send): ReadyChannel =>
  // May break the rules of its port, as a user's channel can.
  readyChannel(name, {
    port: { send: (_message: unknown, context: SendContext) => send(context) } as ConnectedChannel,
  });
const UNKNOWN = { status: 'unknown', reason: 'hang' };
const refused = (fields: object = {}): object => ({
  status: 'refused',
  code: 'C1',
  reason: 'Refused',
  ...fields,
});
const never = (): Promise<never> => new Promise(() => undefined);

class AcmeError extends Error {}

describe('an attempt to send', () => {
  let clock: sinon.SinonFakeTimers;
  let late: readonly AttemptReport[];
  beforeEach(() => {
    clock = fakeClock(['setTimeout', 'clearTimeout', 'performance']);
  });
  afterEach(() => {
    clock.restore();
  });
  const run = async (plan: readonly ReadyChannel[], budget = new Budget(1000)): Promise<Delivery> => {
    const sent = await dispatchBy(plan, { budget });
    ({ late } = sent);
    budget.close();
    return sent.delivery;
  };
  const afterMs = async (ms: number, outcome: unknown): Promise<unknown> => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return outcome;
  };

  it('does not count as an answer of its host if a report ends it: the breaker opens after five', async () => {
    // A report names the attempt by the reference.
    const silent = ready('a', ({ reference }) => (reference === '' ? UNKNOWN : never()));
    const stopped: unknown[] = [];
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const sending = dispatchBy([silent], {
        budget: new Budget(1000),
        stopAtReport: (_reference, { stop }) => {
          stop(`message-${attempt}`);
        },
      });
      await clock.tickAsync(1000);
      const { delivery, accepted } = await sending;
      expect(delivery.status).to.equal('unknown');
      stopped.push(...accepted);
    }
    expect(stopped).to.deep.equal([0, 1, 2, 3, 4].map((attempt) => `message-${attempt}`));
    expect(silent.breaker.state).to.equal('open');
  });

  it('reports its own duration, without the time that the call took before it', async () => {
    const running = run([ready('a', () => afterMs(100, refused())), ready('b', () => afterMs(50, UNKNOWN))]);
    await clock.tickAsync(150);
    expect((await running).attempts.map(({ durationMs }) => durationMs)).to.deep.equal([100, 50]);
  });

  it('reports its own duration also if it ends late', async () => {
    const running = run([
      ready('a', () => afterMs(100, refused())),
      ready('b', () => afterMs(2000, UNKNOWN)),
    ]);
    await clock.tickAsync(900);
    await running;
    await clock.tickAsync(1200);
    expect(late.map(({ durationMs }) => durationMs)).to.deep.equal([2000]);
  });

  it('has an aborted signal once it is given up, even if the channel reads the signal only then', async () => {
    let context: SendContext | undefined;
    const running = run([
      ready('a', (given) => {
        context = given;
        return never();
      }),
    ]);
    await clock.tickAsync(900);
    await running;
    await clock.tickAsync(10_000);
    expect(late[0]).to.include({ outcome: 'unknown', reason: 'No answer within 10 s after the deadline' });
    expect(context?.signal.aborted).to.equal(true);
  });

  it("reports the provider's request id as a token, and none that contains the code", async () => {
    for (const [given, reported] of [
      ['RQ-1.2:3_4', 'RQ-1.2:3_4'],
      ['RQ 1\n', 'RQ_1_'],
      [`RQ${'9'.repeat(90)}`, `RQ${'9'.repeat(62)}`],
      [`RQ-${makeMessage().request.otpCode}`, undefined],
      [7, undefined],
    ] as const) {
      for (const outcome of [UNKNOWN, refused(), { status: 'accepted', transactionId: 'T1' }]) {
        const { decidedBy } = await run([ready('a', () => ({ ...outcome, providerRequestId: given }))]);
        expect(decidedBy?.providerRequestId).to.equal(reported);
      }
    }
  });

  for (const [hasLeft, state] of [
    [false, 'open'],
    [true, 'closed'],
    [undefined, 'closed'],
  ] as const) {
    it(`leaves the breaker ${state} if a refusal among unknown outcomes has hasLeft ${String(hasLeft)}`, async () => {
      let next: unknown = UNKNOWN;
      const channel = ready('a', () => next);
      for (let count = 0; count < 4; count += 1) await run([channel]);
      next = refused({ hasLeft });
      await run([channel]);
      next = UNKNOWN;
      await run([channel]);
      expect(channel.breaker.state).to.equal(state);
    });
  }

  const circular: { cause?: unknown } = {};
  circular.cause = circular;
  for (const [what, error, shown] of [
    ['a code', { code: 'ECONNRESET' }, ' (ECONNRESET)'],
    ["the code of its cause's cause", { cause: { cause: { code: 'ETIMEDOUT' } } }, ' (ETIMEDOUT)'],
    ['no code with words before it', { code: 'to ECONNRESET' }, ''],
    ['no code with words after it', { code: 'ECONNRESET at 10.0.0.1' }, ''],
    ['no code that is not a string', { code: ['ECONNRESET'] }, ''],
    ['no code of one letter', { code: 'E' }, ''],
    ['nothing of an error without a code', new Error('secret words'), ''],
    ['the class of an error', new AcmeError('secret words'), ' AcmeError'],
    ['the name of an error', Object.assign(new Error('?'), { name: 'AbortError' }), ' AbortError'],
    ['no name of several words', Object.assign(new Error('?'), { name: 'For 204981' }), ''],
    ['no name that is not a string', Object.assign(new Error('?'), { name: 204981 }), ''],
    ['the class before the code', Object.assign(new AcmeError('?'), { code: 'EPIPE' }), ' AcmeError (EPIPE)'],
    ['nothing of an error that is its own cause', circular, ''],
  ] as const) {
    it(`that throws reports ${what}`, async () => {
      const { decidedBy } = await run([
        ready('a', () => {
          // A user's channel may throw something that is not an error.
          throw error as Error;
        }),
      ]);
      expect(decidedBy?.reason).to.equal(`The channel threw${shown}`);
    });
  }
});
