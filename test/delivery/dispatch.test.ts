import { expect } from 'chai';
import sinon from 'sinon';
import { Budget } from '#lib/core/budget.js';
import type { ConnectedChannel, Message, Outcome, SendContext, TelephonyRequest } from '#lib/core/channel.js';
import type { ReadyChannel } from '#lib/delivery/attempt.js';
import type { ComposeText } from '#lib/core/option-types.js';
import type { Channel } from '#lib/index.js';
import { fakeClock } from '#harness/fake-clock.js';
import { commandOf, startScene, type Scene } from '#harness/scene.js';
import { defer } from '#harness/until.js';
import { makeMessage, OTP_CODE, PHONE_NUMBER } from '../channels/twilio/scripted-api.js';
import { dispatchBy, readyChannel, type Sent } from './sends.js';

const REQUEST: TelephonyRequest = { ...makeMessage().request, firstName: 'Anne-Marie', lastName: 'Ødegård' };

type Send = (message: Message, context: SendContext) => unknown;
/** A port that may break its own rules, as a user's channel can. */
const portOf = (send: Send): ConnectedChannel => ({ send: send as ConnectedChannel['send'] });

const ready = (name: string, send: Send, provider = name.toUpperCase()): ReadyChannel =>
  readyChannel(name, { provider, port: portOf(send) });

async function run(
  plan: readonly ReadyChannel[],
  parts: {
    readonly budget?: Budget;
    readonly composeText?: ComposeText;
    readonly isStillWanted?: () => Promise<boolean>;
  } = {},
): Promise<Sent> {
  const budget = parts.budget ?? new Budget(2200);
  const sent = await dispatchBy(plan, { ...parts, budget, request: REQUEST });
  budget.close();
  return sent;
}

const accept = (): Outcome => ({ status: 'accepted', transactionId: 'T1' });
const refuse = (fields: object = {}): Outcome => ({
  status: 'refused',
  code: 'C1',
  reason: 'Refused',
  ...fields,
});

describe('dispatching a code', () => {
  it('gives a channel the message, and the signals and HTTP client of the attempt', async () => {
    const send = sinon.fake.resolves(accept());
    await run([ready('line', send)]);
    const [message, context] = send.firstCall.args as [Message, SendContext];
    expect(message).to.deep.equal({
      request: REQUEST,
      profile: undefined,
      to: PHONE_NUMBER,
      text: `Your verification code is ${OTP_CODE}`,
      locale: 'en',
      expiresAt: REQUEST.expiresAt,
    });
    expect([context.signal.aborted, context.leaveSignal.aborted]).to.deep.equal([false, false]);
    expect(context.http).to.be.a('function');
  });

  describe('checks before each attempt if the code is still wanted,', () => {
    it('and makes none if Okta hangs up after the check', async () => {
      const budget = new Budget(2200);
      const send = sinon.fake.resolves(accept());
      const { delivery } = await run([ready('a', send)], {
        budget,
        isStillWanted: () => {
          const answer = Promise.resolve(true);
          void answer.then(() => {
            budget.hangUp();
          });
          return answer;
        },
      });
      expect(send.called).to.equal(false);
      expect(delivery).to.deep.include({ status: 'refused', decidedBy: undefined });
    });
  });

  describe('after a refusal', () => {
    const plan = (first: object): { plan: ReadyChannel[]; tried: string[] } => {
      const tried: string[] = [];
      const note =
        (name: string, outcome: Outcome): Send =>
        () => {
          tried.push(name);
          return Promise.resolve(outcome);
        };
      return {
        tried,
        plan: [
          ready('sms', note('sms by X', refuse(first)), 'X'),
          ready('sms', note('sms by Y', refuse()), 'Y'),
          ready('line', note('line by X', refuse()), 'X'),
          ready('line', note('line by Y', refuse()), 'Y'),
        ],
      };
    };
    const EVERY = ['sms by X', 'sms by Y', 'line by X', 'line by Y'];
    for (const [moveOn, expected] of [
      [undefined, EVERY],
      [true, EVERY],
      ['whatever', EVERY],
      [false, ['sms by X']],
      ['other-channel', ['sms by X', 'line by X', 'line by Y']],
      ['other-provider', ['sms by X', 'sms by Y', 'line by Y']],
    ] as const) {
      it(`with moveOn ${String(moveOn)} tries ${expected.slice(1).join(', ') || 'nothing'}`, async () => {
        const { plan: channels, tried } = plan({ moveOn });
        const { delivery } = await run(channels);
        expect(tried).to.deep.equal(expected);
        expect(delivery.status).to.equal('refused');
        expect(delivery.attempts).to.have.length(expected.length);
        expect(delivery.decidedBy).to.equal(delivery.attempts.at(-1));
      });
    }

    it('tries nothing else, and composes no text, if Okta has hung up', async () => {
      const budget = new Budget(2200);
      const second = sinon.fake.resolves(accept());
      const composeText = sinon.fake.returns(`code ${OTP_CODE}`);
      const first = ready('a', () => {
        budget.hangUp();
        return refuse();
      });
      const { delivery } = await run([first, ready('b', second)], { budget, composeText });
      expect(second.called).to.equal(false);
      expect(composeText.callCount).to.equal(1);
      expect(delivery).to.deep.include({ status: 'refused' });
    });
  });

  describe('tries no other channel after', () => {
    for (const [title, send] of [
      // A user's channel may reject without an error, too.
      ['a rejection without an error', () => Promise.reject()],
      ['null', () => null],
      ['a string', () => 'accepted'],
    ] as const satisfies readonly (readonly [string, Send])[]) {
      it(title, async () => {
        const second = sinon.fake.resolves(accept());
        const { delivery } = await run([ready('a', send), ready('b', second)]);
        expect(delivery.status).to.equal('unknown');
        expect(delivery.decidedBy).to.include({ channel: 'a', outcome: 'unknown' });
        expect(delivery.decidedBy?.reason).to.match(/^(The channel threw|The channel gave no re.+ outcome)$/);
        expect(second.called).to.equal(false);
      });
    }
  });

  describe('reports in a safe form:', () => {
    for (const [title, fields, expected] of [
      ['a code that is a number', { code: 21211 }, { code: '21211' }],
      ['a code with odd characters', { code: 'a b;c=d' }, { code: 'a_b_c_d' }],
      ['no code', { code: undefined }, { code: 'REFUSED' }],
      ['an empty code', { code: '' }, { code: 'REFUSED' }],
      ['no reason', { reason: 7 }, { reason: 'Refused by the channel' }],
      ['a remedy that is not a string', { remedy: 7 }, { remedy: undefined }],
    ] as const) {
      it(title, async () => {
        const { reported } = await run([ready('a', () => refuse(fields))]);
        expect(reported[0]).to.deep.include(expected);
      });
    }

    it('an id of 5,000 characters', async () => {
      const { reported } = await run([
        ready('a', () => ({ status: 'accepted', transactionId: 'x'.repeat(5000) })),
      ]);
      expect(reported[0]?.transactionId).to.equal('x'.repeat(200));
    });
  });

  describe('over time', () => {
    let clock: sinon.SinonFakeTimers;
    beforeEach(() => {
      clock = fakeClock(['setTimeout', 'clearTimeout', 'performance']);
    });
    afterEach(() => {
      clock.restore();
    });

    it('waits for a send that never settles until the deadline, and sends nothing else', async () => {
      const second = sinon.fake.resolves(accept());
      const running = run([ready('a', () => new Promise(() => undefined)), ready('b', second)], {
        budget: new Budget(1000),
      });
      await clock.tickAsync(899);
      let isOver = false;
      void running.then(() => {
        isOver = true;
      });
      await clock.tickAsync(0);
      expect(isOver).to.equal(false);
      await clock.tickAsync(1);
      const { delivery } = await running;
      expect(delivery.decidedBy).to.include({ outcome: 'unknown', durationMs: 900 });
      expect(second.called).to.equal(false);
    });

    it('leaves no timer of an attempt that has ended', async () => {
      const budget = new Budget(1000);
      await run([ready('a', accept)], { budget });
      budget.close();
      expect(clock.countTimers()).to.equal(0);
    });

    it('gives up a detached send after 10 s, and aborts its signal', async () => {
      let signal: AbortSignal | undefined;
      const running = run(
        [
          ready('a', (_message, context) => {
            ({ signal } = context);
            return new Promise(() => undefined);
          }),
        ],
        { budget: new Budget(1000) },
      );
      await clock.tickAsync(900);
      const { late } = await running;
      await clock.tickAsync(9_999);
      expect(signal?.aborted).to.equal(false);
      expect(late).to.be.empty;
      await clock.tickAsync(1);
      expect(signal?.aborted).to.equal(true);
      expect(late).to.have.length(1);
      expect(late[0]).to.include({ outcome: 'unknown', durationMs: 10_900 });
    });

    it('aborts leaveSignal just before the deadline, but not signal', async () => {
      let context: SendContext | undefined;
      const running = run(
        [
          ready('a', (_message, given) => {
            context = given;
            return new Promise((resolve) => {
              given.leaveSignal.addEventListener('abort', () => {
                resolve(refuse({ code: 'UNREACHABLE' }));
              });
            });
          }),
        ],
        { budget: new Budget(1000) },
      );
      await clock.tickAsync(885);
      expect((await running).delivery).to.include({ status: 'refused' });
      expect(context?.signal.aborted).to.equal(false);
    });

    for (const [title, outcome, transactionId] of [
      ['without an id', { status: 'accepted' }, REQUEST.eventId],
      ['with an empty id', { status: 'accepted', transactionId: '' }, REQUEST.eventId],
      ['whose id is a number', { status: 'accepted', transactionId: 12 }, '12'],
      [
        'whose id contains a non-ASCII name',
        { status: 'accepted', transactionId: 'für Ødegård' },
        REQUEST.eventId,
      ],
      [
        'whose id contains a name as part of a word',
        { status: 'accepted', transactionId: 'Annex-1' },
        'Annex-1',
      ],
    ] as const) {
      it(`accepts an outcome ${title}, and reports a safe id`, async () => {
        const { delivery } = await run([ready('a', () => outcome)]);
        expect(delivery.decidedBy).to.include({ outcome: 'accepted', transactionId });
      });
    }

    it('is unknown for an error with circular causes or with a getter that throws', async () => {
      const first = new Error('first');
      first.cause = new Error('second', { cause: first });
      const hostile = Object.defineProperty(new Error('?'), 'code', {
        get: () => {
          throw new Error('no code');
        },
      });
      for (const error of [first, hostile]) {
        const { delivery } = await run([ready('a', sinon.fake.rejects(error))]);
        expect(delivery.decidedBy).to.include({ outcome: 'unknown', reason: 'The channel threw' });
      }
    });

    it('reports a late answer to the breaker, so that a slow host does not open it', async () => {
      const channel = ready('a', () => new Promise(() => undefined));
      const slow = defer<Outcome>();
      const slowChannel = { ...channel, port: portOf(() => slow.promise) };
      const waitOut = async (tried: ReadyChannel): Promise<void> => {
        const running = run([tried], { budget: new Budget(500) });
        await clock.tickAsync(460);
        await running;
      };
      for (let count = 0; count < 3; count += 1) await waitOut(channel);
      await waitOut(slowChannel);
      slow.resolve(accept());
      await clock.tickAsync(0);
      await waitOut(channel);
      expect(channel.breaker.state).to.equal('closed');
      for (let count = 0; count < 4; count += 1) await waitOut(channel);
      expect(channel.breaker.state).to.equal('open');
    });
  });

  describe('in a hook', () => {
    const scenes: Scene[] = [];
    afterEach(async () => {
      await Promise.all(scenes.splice(0).map((scene) => scene.close()));
    });
    const start = async (
      channels: Readonly<Record<string, Channel | readonly Channel[]>>,
      deadlineMs?: number,
    ): Promise<Scene> => {
      const scene = await startScene({ hook: { channels, deadlineMs } });
      scenes.push(scene);
      return scene;
    };
    const channel = (outcome: Outcome, provider?: string): ConnectedChannel & { sent: number } => {
      const made = {
        sent: 0,
        provider,
        send: () => {
          made.sent += 1;
          return Promise.resolve(outcome);
        },
      };
      return made;
    };

    it('uses the channel itself if connect returns nothing', async () => {
      const own = { ...channel(accept(), 'OWN'), connect: () => undefined };
      const scene = await start({ sms: own });
      expect(commandOf(await scene.call({ userId: 'nobody' }))).to.include({ provider: 'OWN' });
    });

    it('uses separate breakers for two custom channels', async () => {
      const unknown = channel({ status: 'unknown', reason: 'hang' });
      const scene = await start({ whatsapp: unknown, sms: channel(accept()) });
      for (let count = 0; count < 6; count += 1) await scene.call();
      expect(unknown.sent).to.equal(5);
      expect(scene.hook.status().breakers).to.deep.include({ whatsapp: 'open', sms: 'closed' });
    });
  });
});
