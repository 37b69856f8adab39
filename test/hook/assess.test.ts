import { expect } from 'chai';
import { ConfigurationError, twilioLookup, type Assess } from '#lib/index.js';
import type { Fault, HookCall } from '#lib/testing/index.js';
import {
  ANA,
  BOB,
  CODE,
  commandOf,
  errorOf,
  scenes,
  SENDS_MANY,
  TO_BOB,
  type Scene,
} from '#harness/scene.js';
import { stopTime, warmUp } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';

const BLOCK: Assess = () => ({ block: true, reason: `too risky: ${ANA.phone} of ${ANA.lastName}` });

describe('guard.assess', () => {
  let scene: Scene;
  const startScene = scenes();
  const start = async (assess: unknown, guard: object = {}): Promise<void> => {
    scene = await startScene({ hook: { guard: { ...SENDS_MANY, ...guard, assess: assess as Assess } } });
  };
  const sent = (): number => scene.twilio.messages.length;
  const failures = (): string[] =>
    scene.of('extension.failed').map(({ extension, reason }) => `${extension}: ${reason}`);

  it('blocks a code with the reason of the function, without what is personal', async () => {
    await start(BLOCK);
    const call = await scene.call();
    expect(commandOf(call)).to.include({ status: 'PENDING', provider: 'GUARD' });
    expect(sent()).to.equal(0);
    expect(scene.of('guard.blocked')[0]).to.include({
      rule: 'assess',
      code: 'BLOCKED_BY_ASSESS',
      reason: 'too risky: … of …',
    });
    expect(scene.log.map(({ message }) => message).join('\n')).to.include(
      'The guard blocked the code: guard.assess decided so (too risky: … of …). Nothing was sent.',
    );
    expect(scene.of('request.answered')[0]).to.include({
      outcome: 'blocked',
      code: 'BLOCKED_BY_ASSESS',
      reason: 'too risky: … of …',
      // The function is asked while the profile is read.
      profileSource: 'okta',
    });
  });

  it('answers a block with an error if guard.answer is error', async () => {
    await start(() => Promise.resolve({ block: true }), { answer: 'error' });
    expect(errorOf(await scene.call())?.errorCauses?.[0]?.['reason']).to.contain('BLOCKED_BY_ASSESS');
    expect(scene.of('guard.blocked')[0]?.reason).to.equal('no reason given');
    expect(sent()).to.equal(0);
  });

  it('only notices if guard.mode is record', async () => {
    await start(BLOCK, { mode: 'record' });
    await scene.call();
    expect(sent()).to.equal(1);
    expect(scene.of('guard.noticed')[0]).to.include({ rule: 'assess', code: 'BLOCKED_BY_ASSESS' });
  });

  it('gets the request read-only, and a signal that aborts when the hook waits no longer', async () => {
    const got: Parameters<Assess>[] = [];
    await start((...parameters: Parameters<Assess>) => {
      got.push(parameters);
      return { block: false };
    });
    await scene.call();
    expect(sent()).to.equal(1);
    const [[request, context] = []] = got;
    expect(request).to.include({ phoneNumber: ANA.phone, otpCode: CODE, userId: ANA.id });
    expect(request).to.satisfy(Object.isFrozen);
    expect(context?.signal.aborted).to.equal(true);
  });

  it('is asked for previews, and not for repeats or codes that another rule blocks', async () => {
    const numbers: string[] = [];
    await start(
      ({ phoneNumber }: Parameters<Assess>[0]) => {
        numbers.push(phoneNumber);
      },
      { countries: { allow: ['GB'] } },
    );
    await scene.call({ eventId: 'once' });
    await scene.call({ eventId: 'once' });
    await scene.call(TO_BOB);
    await scene.call({ preview: true });
    expect(numbers).to.deep.equal([ANA.phone, ANA.phone]);
  });

  it('is asked while the profile is read', async () => {
    let release = (): void => undefined;
    const held = new Promise<undefined>((resolve) => {
      release = () => {
        resolve(undefined);
      };
    });
    await start(() => held);
    const call = scene.call();
    await until(() => scene.okta.requests.some(({ path }) => path.includes('/users/')));
    release();
    expect((await call).okta.action).to.equal('sent');
  });

  for (const [what, wrong] of [
    ['true', true],
    ["'block'", 'block'],
    ['an object without block', { reason: 'risky' }],
    ['an array', [{ block: true }]],
  ] as const) {
    it(`sends the code and reports it if the function returns ${what}`, async () => {
      await start(() => wrong);
      expect((await scene.call()).okta.action).to.equal('sent');
      expect(failures()).to.deep.equal([
        'guard.assess: it returned neither undefined nor { block: true or false }',
      ]);
    });
  }

  for (const [how, assess] of [
    [
      'throws',
      () => {
        throw new Error(`no answer for ${ANA.login}`);
      },
    ],
    ['rejects', () => Promise.reject(new Error(`no answer for ${ANA.login}`))],
  ] as const) {
    it(`sends the code and reports it if the function ${how}`, async () => {
      await start(assess);
      expect((await scene.call()).okta.action).to.equal('sent');
      expect(failures()).to.deep.equal(['guard.assess: no answer for …']);
    });
  }

  it('sends the code after 300 ms, and aborts the signal', async () => {
    await warmUp();
    const signals: AbortSignal[] = [];
    await start((_request: unknown, { signal }: Parameters<Assess>[1]) => {
      signals.push(signal);
      return new Promise(() => undefined);
    });
    const clock = stopTime();
    try {
      const calling = scene.call();
      await until(() => signals.length > 0);
      clock.tick(299);
      expect(signals[0]?.aborted).to.equal(false);
      clock.tick(1);
      expect((await calling).okta.action).to.equal('sent');
    } finally {
      clock.restore();
    }
    expect(signals[0]?.aborted).to.equal(true);
    expect(failures()).to.deep.equal(['guard.assess: it took over 300 ms']);
  });

  describe('with twilioLookup', () => {
    const isLookup = ({ path }: { readonly path: string }): boolean => path.startsWith('/v2/PhoneNumbers/');
    const lookups = (): string[] =>
      scene.twilio.requests.filter(isLookup).map(({ path }) => decodeURIComponent(path));
    const enroll = (phoneNumber: string = BOB.phone): Promise<HookCall> =>
      scene.call({ ...TO_BOB, phoneNumber, requestType: 'pre-enrollment' });

    it('blocks an enrollment whose number has a higher risk than maxScore', async () => {
      await start(twilioLookup({ maxScore: 60 }));
      scene.twilio.setRisk(BOB.phone, { score: 61 });
      expect(commandOf(await enroll())).to.include({ status: 'PENDING', provider: 'GUARD' });
      expect(sent()).to.equal(0);
      expect(scene.of('guard.blocked')[0]?.reason).to.equal(
        'Twilio Lookup gives the number a risk of 61 of 100',
      );
    });

    it('lets a number pass whose risk is maxScore', async () => {
      await start(twilioLookup({ maxScore: 61 }));
      scene.twilio.setRisk(BOB.phone, { score: 61 });
      expect((await enroll()).okta.action).to.equal('sent');
      expect(sent()).to.equal(1);
    });

    it('blocks a number that Twilio has blocked, whatever its score', async () => {
      await start(twilioLookup({ maxScore: 100 }));
      scene.twilio.setRisk(BOB.phone, { score: 0, isBlocked: true });
      await enroll();
      expect(sent()).to.equal(0);
    });

    it('looks up nothing for a sign-in', async () => {
      await start(twilioLookup({ maxScore: 0 }));
      scene.twilio.setRisk(BOB.phone, { score: 100 });
      await scene.call(TO_BOB);
      expect(sent()).to.equal(1);
      expect(lookups()).to.be.empty;
    });

    it('asks for the risk alone, once for a number', async () => {
      await start(twilioLookup({ maxScore: 60 }));
      await enroll();
      await enroll();
      await enroll(ANA.phone);
      expect(lookups()).to.deep.equal([
        `/v2/PhoneNumbers/${BOB.phone}?Fields=sms_pumping_risk`,
        `/v2/PhoneNumbers/${ANA.phone}?Fields=sms_pumping_risk`,
      ]);
    });

    it('asks each time if cacheSeconds is 0', async () => {
      await start(twilioLookup({ maxScore: 60, cacheSeconds: 0 }));
      await enroll();
      await enroll();
      expect(lookups()).to.have.length(2);
    });

    for (const [what, fault, reason] of [
      ['knows no score', undefined, 'Twilio Lookup gave no score'],
      [
        'refuses',
        { kind: 'status', status: 429, body: { code: 20429 } },
        'Twilio Lookup: Too many requests to Twilio at once',
      ],
      ['cannot be reached', { kind: 'reset' }, 'No answer from Twilio Lookup (ECONNRESET)'],
    ] as const satisfies readonly (readonly [string, Fault | undefined, string])[]) {
      it(`sends the code, and asks again for the next one, if Lookup ${what}`, async () => {
        await start(twilioLookup({ maxScore: 60 }));
        if (fault === undefined) scene.twilio.setRisk(BOB.phone, { score: null, errorCode: 60600 });
        else scene.twilio.fault({ fault, match: isLookup });
        expect((await enroll()).okta.action).to.equal('sent');
        expect(failures()).to.deep.equal([`guard.assess: ${reason}`]);
        const before = lookups().length;
        await enroll();
        expect(lookups().length).to.be.above(before);
      });
    }

    it('knows the risk of a late lookup for the next code', async () => {
      await warmUp();
      await start(twilioLookup({ maxScore: 60 }));
      scene.twilio.setRisk(BOB.phone, { score: 90 });
      scene.twilio.fault({ fault: { kind: 'slow', delayMs: 1000 }, times: 1, match: isLookup });
      const clock = stopTime();
      try {
        const calling = enroll();
        await until(() => lookups().length > 0);
        clock.tick(300);
        expect((await calling).okta.action).to.equal('sent');
        clock.tick(1000);
      } finally {
        clock.restore();
      }
      await until(async () => commandOf(await enroll())?.['provider'] === 'GUARD');
      expect(lookups()).to.have.length(1);
    });

    it('needs credentials.twilio', async () => {
      scene = await startScene();
      const started = startScene({
        hook: {
          credentials: { twilio: undefined },
          sandboxNumber: undefined,
          senders: undefined,
          channels: { sms: { send: () => Promise.reject(new Error('unused')) } },
          guard: { assess: twilioLookup({ maxScore: 60 }) },
        },
      });
      const error: unknown = await started.catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(ConfigurationError);
      expect((error as ConfigurationError).problems).to.deep.equal([
        'credentials.twilio is missing: guard.assess needs it; give it, or leave out what needs it',
      ]);
    });

    it('refuses a maxScore outside of 0 to 100', () => {
      expect(() => twilioLookup({ maxScore: 101 }))
        .to.throw(ConfigurationError)
        .with.property('problems')
        .that.deep.equals(['maxScore must be a score: a whole number from 0 to 100']);
    });
  });
});
