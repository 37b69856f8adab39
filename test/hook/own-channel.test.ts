import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { transform } from 'esbuild';
import type {
  Channel,
  ChannelParts,
  ConfigurationError,
  HookEventOf,
  Outcome,
  SendContext,
} from '#lib/index.js';
import { outcomeOf, twilioMessages } from '#lib/index.js';
import { ANA, BOB, commandOf, errorOf, startScene, type Scene, type SceneOptions } from '#harness/scene.js';
import { snippetIn } from '../docs/snippets.js';
import { freePort, REFUSING_ORIGIN } from '#harness/free-port.js';

/** Custom channels, as docs/deliver/custom-channel.md shows them. */

const accepted: Outcome = { status: 'accepted', transactionId: 'T1' };
const other = (): Channel & { sent: number } => {
  const channel = {
    sent: 0,
    provider: 'OTHER',
    send: () => {
      channel.sent += 1;
      return Promise.resolve(accepted);
    },
  };
  return channel;
};

/** The channel of the guide, with the provider at another origin. */
async function guideChannel(origin: string): Promise<Channel> {
  const code = snippetIn('docs/deliver/custom-channel.md', 'Custom channel')
    .replace("'okta-telephony-hook'", JSON.stringify(import.meta.resolve('#lib/index.js')))
    .replace('https://api.acme.example', origin);
  const { code: script } = await transform(code, { loader: 'ts' });
  const module = (await import(`data:text/javascript,${encodeURIComponent(script)}`)) as {
    acmeChannel(apiKey: string): Channel;
  };
  return module.acmeChannel('key');
}

describe('a custom channel', () => {
  let scene: Scene | undefined;
  let provider: Server | undefined;
  afterEach(async () => {
    await scene?.close();
    scene = undefined;
    provider?.close();
    provider?.closeAllConnections();
    provider = undefined;
  });
  const start = async (hook: NonNullable<SceneOptions['hook']>): Promise<Scene> =>
    (scene = await startScene({ hook }));
  /** Starts a provider that answers with `status` and `body`, and records its requests. */
  const startProvider = async (
    status: number,
    body: string,
  ): Promise<{ readonly origin: string; readonly requests: unknown[] }> => {
    const requests: unknown[] = [];
    provider = createServer((req, res) => {
      let text = '';
      req.on('data', (chunk: Buffer) => (text += chunk.toString()));
      req.on('end', () => {
        requests.push([req.method, req.url, req.headers.authorization, JSON.parse(text)]);
        res.writeHead(status).end(body);
      });
    });
    provider.listen(0, '127.0.0.1');
    await once(provider, 'listening');
    return { origin: `http://127.0.0.1:${(provider.address() as AddressInfo).port}`, requests };
  };
  const mistakes = (of: Scene): readonly HookEventOf<'extension.failed'>[] => of.of('extension.failed');
  const attemptsOf = (of: Scene): readonly HookEventOf<'attempt.ended'>[] => of.of('attempt.ended');

  describe('of the guide', () => {
    it('gives way to the next provider if its own is unreachable: eight of eight users get a code', async () => {
      const second = other();
      const { call } = await start({ channels: { sms: [await guideChannel(REFUSING_ORIGIN), second] } });
      const statuses: unknown[] = [];
      for (let user = 0; user < 8; user += 1) {
        const answer = await call({ userId: `00user${user}`, phoneNumber: `+44770090010${user}` });
        statuses.push(commandOf(answer)?.['status']);
      }
      expect(statuses).to.deep.equal(Array(8).fill('SUCCESSFUL'));
      expect(second.sent).to.equal(8);
    });

    it('sends the text with its API key, and returns the id of the message', async () => {
      const { origin, requests } = await startProvider(201, '{"id":"M1"}');
      const { call } = await start({ channels: { sms: await guideChannel(origin) } });
      expect(commandOf(await call(BOB_SMS))).to.include({ provider: 'ACME', transactionId: 'M1' });
      expect(requests).to.deep.equal([
        ['POST', '/messages', 'Bearer key', { to: BOB.phone, text: requestText(requests) }],
      ]);
    });

    for (const [status, body, expected, sentByOther] of [
      [200, 'not JSON', 'PENDING', 0],
      [500, '{}', 'PENDING', 0],
      [503, 'no healthy upstream', 'PENDING', 0],
      [404, '<html></html>', 'PENDING', 0],
      [303, '', 'PENDING', 0],
      [503, '{}', 'SUCCESSFUL', 1],
      [400, '{}', 'SUCCESSFUL', 1],
      [401, '{}', 'SUCCESSFUL', 1],
    ] as const) {
      it(`leads to ${expected} after status ${status} with the body ${body}`, async () => {
        const { origin } = await startProvider(status, body);
        const second = other();
        const { call } = await start({ channels: { sms: [await guideChannel(origin), second] } });
        expect(commandOf(await call(BOB_SMS))?.['status']).to.equal(expected);
        expect(second.sent).to.equal(sentByOther);
      });
    }
  });

  describe('as a function', () => {
    it('runs once per hook and name, and gets its own copy of the parts of the hook', async () => {
      const made: ChannelParts[] = [];
      const channel: Channel = (parts) => {
        made.push({ ...parts });
        Object.assign(parts, { clock: undefined, logger: undefined });
        return { send: () => Promise.resolve({ status: 'accepted', transactionId: parts.channel }) };
      };
      const now = Date.now() + 60_000;
      const { call, log } = await start({ clock: () => now, channels: { sms: [channel], acme: channel } });
      for (let count = 0; count < 2; count += 1) {
        expect(commandOf(await call(BOB_SMS))).to.include({ provider: 'SMS', transactionId: 'sms' });
      }
      expect(made.map(({ channel: name }) => name)).to.deep.equal(['sms', 'acme']);
      for (const parts of made) {
        expect(parts).to.include.all.keys('dispatcher', 'twilio');
        expect(parts.clock()).to.equal(now);
        parts.logger.info('of the channel', { from: parts.channel });
      }
      expect(log.filter(({ message }) => message === 'of the channel')).to.have.length(2);
    });

    it('is reported by the factory with all other wrong channels, by its index among the providers', async () => {
      const wrong: Channel = () => {
        throw new Error('no key');
      };
      let thrown: unknown;
      try {
        await start({ channels: { sms: [other(), wrong], acme: wrong, voice: twilioMessages() } });
      } catch (error) {
        thrown = error;
      }
      expect((thrown as ConfigurationError).issues.map(({ option }) => option)).to.deep.equal([
        'channels.sms[1]',
        'channels.voice',
        'channels.acme',
      ]);
      expect((thrown as ConfigurationError).problems[1]).to.equal(
        'channels.voice: twilioMessages sends texts; mount it under another name than voice',
      );
      expect((thrown as ConfigurationError).cause).to.include({ message: 'no key' });
    });

    for (const [title, channel, problem] of [
      [
        'throws',
        () => {
          throw new Error('no key');
        },
        'channels.acme: its function threw; see the cause',
      ],
      [
        'is async',
        () => Promise.resolve(other()),
        /^channels\.acme: it must make, at once, an object with a send/,
      ],
      ['returns nothing', () => undefined, /^channels\.acme: it must make/],
      [
        'has a number as its provider',
        () => ({ send: () => Promise.resolve(accepted), provider: 5 }),
        /^channels\.acme: it must make/,
      ],
      [
        'returns a channel with a wrong member',
        () => ({ send: () => Promise.resolve(accepted), lookUp: 1 }),
        /^channels\.acme\.lookUp/,
      ],
    ] as const) {
      it(`that ${title} is reported by the factory`, async () => {
        let thrown: unknown;
        try {
          await start({ channels: { acme: channel as unknown as Channel } });
        } catch (error) {
          thrown = error;
        }
        const [found, ...more] = (thrown as ConfigurationError).problems;
        expect(more).to.be.empty;
        expect(found).to.match(
          typeof problem === 'string' ? new RegExp(`^${problem.replaceAll(/[().]/g, '\\$&')}$`) : problem,
        );
      });
    }
  });

  it('can be chosen in the profile without optInChannels, but one named voice cannot', async () => {
    const [acme, voice] = [other(), other()];
    const { call, okta, twilio, events } = await start({ channels: { acme, voice } });
    okta.updateUser(ANA.id, { whatsAppOptIn: ['voice', 'acme', 'whatsapp'] });
    await call();
    expect([acme.sent, voice.sent, twilio.messages.length]).to.deep.equal([1, 0, 0]);
    expect(events.filter((event) => event.type === 'configuration.warned' && event.option === 'channels')).to
      .be.empty;
  });

  it('named sms does not let a user choose sms in the profile', async () => {
    const sms = other();
    const { call, okta, twilio } = await start({ channels: { sms } });
    okta.updateUser(ANA.id, { whatsAppOptIn: ['sms', 'whatsapp'] });
    await call();
    expect([sms.sent, twilio.messages.length]).to.deep.equal([0, 1]);
  });

  describe('with a mistake', () => {
    let now = Date.now();
    const startWith = (send: (context: SendContext) => unknown): Promise<Scene> =>
      start({
        clock: () => now,
        channels: {
          sms: [
            { provider: 'ACME', send: (_message, context) => Promise.resolve(send(context) as Outcome) },
            other(),
          ],
        },
      });

    for (const [title, outcome, status, reason] of [
      ['returns nothing', undefined, 'PENDING', /none of the statuses/],
      [
        'returns an invalid status',
        { status: 'sent', transactionId: '1' },
        'PENDING',
        /none of the statuses/,
      ],
      ['accepts without an id', { status: 'accepted', id: '1' }, 'SUCCESSFUL', /no transactionId/],
      ['refuses without a code', { status: 'refused', reason: 'No' }, 'SUCCESSFUL', /no code or no reason/],
      [
        'refuses with an invalid cause',
        { status: 'refused', code: '1', reason: 'No', cause: 'full' },
        'SUCCESSFUL',
        /another cause than wrong-number, /,
      ],
      ['returns unknown without a reason', { status: 'unknown' }, 'PENDING', /no reason/],
    ] as const) {
      it(`is reported once a minute, with the form of an outcome, if it ${title}`, async () => {
        const of = await startWith(() => outcome);
        for (let count = 0; count < 3; count += 1) {
          const command = commandOf(await of.call({ ...BOB_SMS, eventId: `event-${count}` }));
          expect(command?.['status']).to.equal(status);
        }
        const [mistake, ...more] = mistakes(of);
        expect(more).to.be.empty;
        expect(mistake).to.include({ extension: 'channel', count: 1, eventId: 'event-0' });
        expect(mistake?.reason)
          .to.match(/^sms\[0\]: its /)
          .and.match(reason);
        expect(mistake?.remedy).to.include("{ status: 'refused', code, reason }");
        now += 60_000;
        await of.call(BOB_SMS);
        expect(mistakes(of).map(({ count }) => count)).to.deep.equal([1, 3]);
      });
    }

    it('is reported, and so is a second provider with a mistake', async () => {
      const wrong: Channel = { send: () => Promise.resolve({ status: 'refused' } as Outcome) };
      const of = await start({ channels: { sms: [wrong, wrong] } });
      await of.call(BOB_SMS);
      expect(mistakes(of).map(({ reason }) => reason.slice(0, 6))).to.deep.equal(['sms[0]', 'sms[1]']);
    });

    it('in its request counts as refused: the next provider follows, and the hook reports it once', async () => {
      const of = await startWith(async ({ http }) =>
        outcomeOf(await http({ url: 'api.acme.example', json: {}, form: {} }), {
          provider: 'ACME',
          readSuccess: () => undefined,
          readRefusal: () => ({ code: '1', reason: 'No' }),
        }),
      );
      for (let count = 0; count < 6; count += 1) {
        expect(commandOf(await of.call(BOB_SMS))?.['status']).to.equal('SUCCESSFUL');
      }
      const [attempt] = attemptsOf(of);
      expect(attempt).to.include({
        outcome: 'refused',
        code: 'WRONG_REQUEST',
        reason:
          'Not sent: the request to ACME is wrong: url must be a whole URL that begins with https:// or http://',
      });
      expect(attempt?.remedy).to.match(/context\.http takes \{ url/);
      expect(mistakes(of)).to.have.length(1);
      expect(mistakes(of)[0]?.reason).to.equal(
        'sms[0]: its request by context.http is wrong: url must be a whole URL that begins with https:// or http://',
      );
      expect(of.hook.status().breakers).to.include({ 'sms[0]': 'closed' });
    });

    it('gets a remedy that names context.http if its own fetch throws', async () => {
      // fetch refuses port 9 itself.
      const closed = `http://127.0.0.1:${await freePort()}`;
      const of = await startWith(() => fetch(closed));
      expect(commandOf(await of.call(BOB_SMS))?.['status']).to.equal('PENDING');
      const [attempt] = attemptsOf(of);
      expect(attempt?.reason).to.equal('The channel threw TypeError (ECONNREFUSED)');
      expect(attempt?.remedy).to.match(/^Let the channel send by context\.http/);
      const line = of.log.find(({ fields }) => fields['event'] === 'request.answered');
      expect(line?.fields['remedy']).to.equal(attempt?.remedy);
    });

    it('gets a remedy that names its send if it throws for another reason', async () => {
      const of = await startWith(() => {
        throw new RangeError('no');
      });
      await of.call(BOB_SMS);
      expect(attemptsOf(of)[0]).to.include({ reason: 'The channel threw RangeError' });
      expect(attemptsOf(of)[0]?.remedy).to.match(/^Fix the send of the channel/);
    });
  });

  it('ends the plan by the cause wrong-number, and blocks the code by the cause fraud', async () => {
    const refusing = (cause: 'wrong-number' | 'fraud'): Channel => ({
      provider: 'ACME',
      send: () => Promise.resolve({ status: 'refused', code: 'C1', reason: 'No', cause }),
    });
    const second = other();
    const first = await start({ channels: { sms: [refusing('wrong-number'), second] } });
    expect(errorOf(await first.call(BOB_SMS))?.errorCauses).to.have.length(1);
    await first.close();
    const last = await start({ channels: { sms: [refusing('fraud'), second] } });
    expect(commandOf(await last.call(BOB_SMS))).to.include({ status: 'PENDING', provider: 'GUARD' });
    expect(second.sent).to.equal(0);
  });

  it('can make requests by context.http in check()', async () => {
    const { origin } = await startProvider(200, '{"ok":true}');
    const asked: unknown[] = [];
    const acme: Channel = {
      send: () => Promise.resolve(accepted),
      check: async ({ http }) => {
        const result = await http({ url: `${origin}/status`, json: 'ready?' });
        asked.push(result.kind === 'answered' ? result.json : result);
      },
    };
    const { hook } = await start({ channels: { acme } });
    expect((await hook.ready()).channels).to.deep.equal({ acme: 'ok' });
    expect(asked).to.deep.equal([{ ok: true }]);
  });
});

const BOB_SMS = { userId: BOB.id, phoneNumber: BOB.phone };

function requestText(requests: readonly unknown[]): string {
  const [[, , , body]] = requests as [[string, string, string, { text: string }]];
  return body.text;
}
