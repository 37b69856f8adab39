import { expect } from 'chai';
import type { Channel, ConfigurationError, ConnectedChannel, Message, Outcome } from '#lib/index.js';
import { twilioMessages } from '#lib/index.js';
import {
  ANA,
  BOB,
  commandOf,
  errorOf,
  scenes,
  TO_BOB,
  type HookOptions,
  type Scene,
} from '#harness/scene.js';
import { stopTime, warmUp } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';

/** Providers by the country of a number, as docs/deliver/by-country.md describes them. */

const INDIAN = '+919876543210';

const accepted = (transactionId: string): Outcome => ({ status: 'accepted', transactionId });
const refused = (): Outcome => ({ status: 'refused', code: 'NO', reason: 'Not today' });

/** A provider with the numbers that it was to send to. */
function provider(
  name: string,
  outcome: () => Outcome = () => accepted('M1'),
  more: Partial<ConnectedChannel> = {},
): ConnectedChannel & { readonly to: string[] } {
  const to: string[] = [];
  return {
    provider: name,
    to,
    send: (message: Message) => {
      to.push(message.to);
      return Promise.resolve(outcome());
    },
    ...more,
  };
}

describe('providers by country', () => {
  const startScene = scenes();
  let scene: Scene;
  const start = async (hook: HookOptions, hasCallbacks = false): Promise<void> => {
    scene = await startScene({ hook, hasCallbacks });
  };
  const call = async (phoneNumber: string, more: object = {}): Promise<Record<string, string> | undefined> =>
    commandOf(await scene.call({ ...TO_BOB, phoneNumber, ...more }));
  const providersTried = (): string[] => scene.of('attempt.ended').map(({ provider: name }) => name);

  for (const [number, whose, name] of [
    [INDIAN, 'its country', 'INDIAN'],
    ['+12025550142', 'its country, as the US have it', 'AMERICAN'],
    ['+14165550123', 'its own country, not of the US with the same calling code', 'CANADIAN'],
    ['+447700900123', 'default, as its country has no list', 'WORLD'],
    ['+447797712345', 'its own country, not of GB with the same calling code', 'JERSEY'],
    ['+999123456789', 'default, as its country is not known', 'WORLD'],
  ] as const) {
    it(`of ${whose}, get the code for ${number.slice(0, 4)}…`, async () => {
      const by = {
        default: provider('WORLD'),
        IN: provider('INDIAN'),
        US: provider('AMERICAN'),
        CA: provider('CANADIAN'),
        JE: provider('JERSEY'),
      };
      await start({ channels: { sms: by } });
      expect(await call(number)).to.include({ status: 'SUCCESSFUL', provider: name });
      expect(Object.values(by).flatMap(({ to }) => to)).to.deep.equal([number]);
    });
  }

  it('are tried in the order of their list, and no other provider follows them', async () => {
    const [first, second, world] = [
      provider('FIRST', refused),
      provider('SECOND', refused),
      provider('WORLD'),
    ];
    await start({ channels: { sms: { default: world, IN: [first, second] } } });
    const answer = await scene.call({ ...TO_BOB, phoneNumber: INDIAN });
    expect(errorOf(answer)?.errorCauses?.map(({ domain }) => domain)).to.deep.equal(['FIRST', 'SECOND']);
    expect(world.to).to.be.empty;
  });

  it('may be in several lists, as one provider with one connection', async () => {
    let made = 0;
    const shared: Channel = () => {
      made += 1;
      return provider('SHARED', refused);
    };
    await start({
      channels: { sms: { default: [shared, provider('WORLD')], IN: [provider('INDIAN', refused), shared] } },
    });
    await call(INDIAN);
    expect(providersTried()).to.deep.equal(['INDIAN', 'SHARED']);
    await call(BOB.phone);
    expect(providersTried().slice(2)).to.deep.equal(['SHARED', 'WORLD']);
    expect(made).to.equal(1);
  });

  it('work for calls', async () => {
    const [world, indian] = [provider('WORLD'), provider('INDIAN')];
    await start({ channels: { voice: { default: world, IN: indian } } });
    await call(INDIAN, { deliveryChannel: 'VOICE' });
    await call(BOB.phone, { deliveryChannel: 'VOICE' });
    expect([indian.to, world.to]).to.deep.equal([[INDIAN], [BOB.phone]]);
  });

  it('of WhatsApp are those of the number that it goes to', async () => {
    const lists = {
      default: provider('WORLD'),
      IN: provider('INDIAN', refused),
      GB: provider('BRITISH', refused),
    };
    await start({
      channels: { whatsapp: lists, sms: { default: provider('SMS_WORLD'), GB: provider('SMS_BRITISH') } },
      profile: { unverifiedPhoneAttribute: 'mobilePhone' },
    });
    scene.okta.updateUser(ANA.id, { mobilePhone: INDIAN });
    expect(commandOf(await scene.call())).to.include({ provider: 'SMS_BRITISH' });
    expect(lists.IN.to).to.deep.equal([INDIAN]);
    expect(lists.GB.to).to.be.empty;
    expect(scene.of('channels.planned')[0]?.providersOf).to.deep.equal({ whatsapp: 'IN', sms: 'GB' });
  });

  it('are named in the events, the log and the answer', async () => {
    await start({ channels: { sms: { default: provider('WORLD'), IN: [provider('INDIAN')] } } });
    const answer = await call(INDIAN);
    expect(answer?.['transactionMetadata']).to.match(/;providers=IN$/);
    const other = await call(BOB.phone);
    expect(other?.['transactionMetadata']).to.match(/;providers=default$/);
    for (const type of ['channels.planned', 'request.answered'] as const) {
      expect(scene.of(type).map(({ providersOf }) => providersOf)).to.deep.equal([
        { sms: 'IN' },
        { sms: 'default' },
      ]);
    }
    const lines = scene.log.filter(({ fields }) => fields['event'] === 'request.answered');
    expect(lines.map(({ message }) => /The code was sent by SMS \([^)]*\)/.exec(message)?.[0])).to.deep.equal(
      [
        'The code was sent by SMS (by the providers for IN)',
        'The code was sent by SMS (by the default providers)',
      ],
    );
    expect(lines[0]?.fields).to.deep.include({ providersOf: { sms: 'IN' }, provider: 'INDIAN' });
  });

  it('are not spoken of without lists by country', async () => {
    await start({ channels: { sms: { default: [provider('FIRST', refused), provider('SECOND')] } } });
    const answer = await call(INDIAN);
    expect(answer).to.include({ provider: 'SECOND' });
    expect(answer?.['transactionMetadata']).not.to.contain('providers=');
    expect(scene.of('channels.planned')[0]?.providersOf).to.equal(undefined);
  });

  it('give a repeat the same answer', async () => {
    await start({ channels: { sms: { default: provider('WORLD'), IN: provider('INDIAN') } } });
    const first = await scene.call({ ...TO_BOB, phoneNumber: INDIAN, eventId: 'event-1' });
    const repeat = await scene.okta.repeat(first);
    expect(repeat.body).to.deep.equal(first.body);
  });

  it('are followed by late failover within the list of the number', async () => {
    const reported: ((id: string) => void)[] = [];
    const failing = provider('FAILING', () => accepted('M-late'), {
      receive: {
        handle: (request) => ({
          status: 200,
          reports: [
            { status: 'failed', code: 'LOST', reason: 'Lost', transactionId: request.rawBody.toString() },
          ],
        }),
      },
    });
    const [next, world] = [provider('NEXT', () => accepted('M-next')), provider('WORLD')];
    await start({ channels: { sms: { default: world, IN: [failing, next] } } }, true);
    await call(INDIAN);
    // The default list begins, so the first Indian provider is the second one of the channel.
    const { status } = await fetch(`${scene.url}/callbacks/sms/1`, { method: 'POST', body: 'M-late' });
    expect(status).to.equal(200);
    await until(() => scene.of('failover.ended').length === 1);
    expect(scene.of('failover.ended')[0]).to.include({ outcome: 'accepted', provider: 'NEXT' });
    expect([next.to, world.to, reported]).to.deep.equal([[INDIAN], [], []]);
  });

  describe('with a host that does not answer', () => {
    before(warmUp);

    it('skip the host in every list, since its breaker is one', async () => {
      const clock = stopTime();
      try {
        const hung = provider('HUNG', () => ({ status: 'unknown', reason: 'No answer' }), {
          host: 'api.hung.example',
        });
        const [indian, world] = [provider('INDIAN'), provider('WORLD')];
        await start({ channels: { sms: { default: [hung, world], IN: [hung, indian] } } });
        for (let count = 0; count < 5; count += 1) await call(BOB.phone);
        expect(scene.hook.status().breakers['api.hung.example']).to.equal('open');
        expect(await call(INDIAN)).to.include({ provider: 'INDIAN' });
        expect(hung.to).to.have.length(5);
      } finally {
        clock.restore();
      }
    });
  });

  it('are each checked by ready(), by their places', async () => {
    const check = (): Promise<void> => Promise.resolve();
    const broken = (): Promise<void> => Promise.reject(new Error('no key'));
    const shared = provider('SHARED', undefined, { check });
    await start({
      channels: {
        sms: {
          default: shared,
          IN: [provider('INDIAN', undefined, { check: broken }), shared],
          BR: provider('BR', undefined, { check }),
        },
      },
    });
    const { channels } = await scene.hook.ready();
    expect(Object.keys(channels)).to.deep.equal(['sms.default', 'sms.IN[0]', 'sms.BR']);
    expect(channels['sms.IN[0]']).to.include({ code: 'NOT_READY' });
    expect(scene.of('readiness.failed').map(({ part }) => part)).to.deep.equal(['channels.sms.IN[0]']);
  });

  it('name the place of a mistake', async () => {
    const wrong = provider('WRONG', () => ({ status: 'sent' }) as unknown as Outcome);
    await start({ channels: { sms: { default: provider('WORLD'), IN: [wrong] } } });
    await call(INDIAN);
    expect(scene.of('extension.failed')[0]?.reason).to.match(/^sms\.IN\[0\]: /);
  });

  it('name the place of each provider whose reports cannot come, and of each sender that none uses', async () => {
    const receive = { handle: () => ({ status: 200 }) };
    await start({
      channels: {
        sms: {
          default: provider('WORLD', undefined, { receive }),
          IN: [provider('IN'), provider('IN', undefined, { receive })],
        },
      },
      lateFailover: { afterSeconds: { sms: 20 } },
    });
    const warned = scene.of('configuration.warned').map(({ option, where }) => [option, ...where].join(' '));
    expect(warned).to.include.members([
      'channels.receive channels.sms.default channels.sms.IN[1]',
      'senders senders.sms',
      'lateFailover.afterSeconds lateFailover.afterSeconds.sms',
    ]);
  });

  it('may be Twilio in one list only', async () => {
    await start({ channels: { sms: { default: provider('WORLD'), US: twilioMessages() } } });
    expect(await call(BOB.phone)).to.include({ provider: 'TWILIO' });
    expect(scene.of('configuration.warned').map(({ option }) => option)).not.to.include('senders');
  });

  it('are named by the error of a provider that cannot be made', async () => {
    let thrown: unknown;
    const wrong: Channel = () => {
      throw new Error('no key');
    };
    try {
      await start({
        channels: { sms: { default: provider('WORLD'), IN: [wrong] }, voice: { default: wrong } },
      });
    } catch (error) {
      thrown = error;
    }
    expect((thrown as ConfigurationError).issues.map(({ option }) => option)).to.deep.equal([
      'channels.sms.IN[0]',
      'channels.voice.default',
    ]);
  });
});
