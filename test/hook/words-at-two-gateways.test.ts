import { expect } from 'chai';
import type { OktaTelephonyHookOptions, Outcome } from '#lib/index.js';
import { ANA, commandOf } from '#harness/scene.js';
import { eachWithTwoGateways, type TwoGateways } from '#harness/two-gateways.js';
import { held, until } from '#harness/until.js';
import { mustNotShow } from '#harness/witness.js';

const DAY_MS = 86_400_000;

describe('a STOP at one of two gateways', () => {
  const gateways = eachWithTwoGateways();
  let both: TwoGateways;
  /** The outcome of the first message of the channel `line`. */
  let first: ReturnType<typeof held<Outcome>>;
  beforeEach(() => {
    both = gateways();
    first = held<Outcome>();
  });
  const start = (hook: Partial<OktaTelephonyHookOptions> = {}): Promise<void> =>
    both.start({ channels: { line: { send: first.run } }, ...hook });
  const stop = async (): Promise<void> => {
    expect((await both.write(both.other.url, 'STOP', 1)).text).to.contain('no more codes by WhatsApp');
  };
  const channels = (): readonly string[] => both.scene.twilio.messages.map(({ channel }) => channel);

  it('holds for the next attempt of a running call', async () => {
    await start({ chooseChannels: () => ['line', 'whatsapp'] });
    const calling = both.scene.call();
    await first.called;
    await stop();
    first.resolve({ status: 'refused', code: 'GONE', reason: 'gone' });
    expect(commandOf(await calling)?.['transactionMetadata']).to.include('channel=sms');
    expect(channels()).to.deep.equal(['sms']);
  });

  for (const [words, channel] of [
    [['STOP'], 'sms'],
    [['STOP', 'START'], 'whatsapp'],
  ] as const) {
    it(`holds for the first attempt of a call that has waited, as the last word: ${words.join(', ')}`, async () => {
      await start();
      const { scene, other, time } = both;
      scene.okta.fault({ fault: { kind: 'slow', delayMs: 300 }, times: 1 });
      const asked = scene.okta.requests.length;
      const calling = scene.call();
      await until(() => scene.okta.requests.length > asked);
      for (const [at, word] of words.entries()) await both.write(other.url, word, at);
      scene.twilio.joinSandbox(ANA.phone);
      time.tick(300);
      expect((await calling).okta.action).to.equal('sent');
      expect(channels()).to.deep.equal([channel]);
    });
  }

  it('holds for a late send that composes its text', async () => {
    const text = held<string>();
    await start({
      chooseChannels: () => ['sms', 'whatsapp'],
      composeText: ({ otpCode }, _profile, channel) =>
        channel === 'sms' ? `Your code is ${otpCode}` : text.run(),
    });
    const sid = commandOf(await both.scene.call())?.['transactionId'] ?? '';
    await both.scene.hook.ready();
    await both.report(both.scene.url, sid, 'undelivered');
    await text.called;
    await stop();
    text.resolve('Your code');
    await until(() => both.endings.length > 0);
    expect(both.endings).to.deep.equal(['NO_CHANNEL_LEFT']);
    expect(channels()).to.deep.equal(['sms']);
  });

  /** The first gateway claims a message, and Redis never hears of it again. Resolves when Twilio has the answer. */
  const loseGatewayWith = async (word: string): Promise<() => Promise<unknown>> => {
    const { scene, proxy, times } = both;
    both.holdAfterAnswer('commands');
    const lost = both.write(scene.url, word, 1);
    await until(() => proxy.heldPieces > 0);
    times.connectMs = 20;
    proxy.isBlackHole = true;
    await proxy.endAll();
    return () => lost;
  };
  /** Twilio delivers the message again, to the second gateway. */
  const repeat = async (word: string): Promise<string> => {
    let isAnswered = false;
    const writing = both.write(both.other.url, word, 1).finally(() => (isAnswered = true));
    await until(() => {
      // In few steps: Redis has its own clock, by which the words are ordered.
      both.time.tick(100);
      return isAnswered;
    });
    return (await writing).text;
  };

  it('is obeyed if its gateway died after it had claimed the message', async () => {
    await start();
    const ended = await loseGatewayWith('STOP');
    expect(await repeat('STOP')).to.contain('no more codes by WhatsApp');
    expect(await both.isStopped()).to.equal(true);
    await ended();
  });

  it('is confirmed to a repeated delivery only once the first one has taken effect', async () => {
    await start();
    const { scene, proxy } = both;
    const received = (): boolean => scene.of('inbound.received').length > 0;
    proxy.held = 'answers';
    const writing = both.write(scene.url, 'STOP', 1);
    await until(() => proxy.heldPieces > 0);
    const repeating = both.write(scene.url, 'STOP', 1).then(received);
    // Whole exchanges, after which the gateway has read the repeat.
    for (let count = 0; count < 3; count += 1) await fetch(`${scene.url}/events`);
    proxy.held = undefined;
    expect(await repeating).to.equal(true);
    await writing;
  });

  for (const [word, newer] of [
    ['STOP', 'START'],
    ['START', 'STOP'],
  ] as const) {
    it(`or a START does not undo a newer word when Twilio delivers it again: ${word}, ${newer}, ${word}`, async () => {
      await start();
      const ended = await loseGatewayWith(word);
      await both.write(both.other.url, newer, 2);
      await repeat(word);
      expect(await both.isStopped()).to.equal(newer === 'STOP');
      await ended();
    });
  }

  it('stays though onMessage then says, at the other gateway, that an older message counts as START', async () => {
    const answer = held<{ isStart: true }>();
    await start({ inbound: { onMessage: answer.run } });
    const { scene, time } = both;
    const writing = both.write(scene.url, 'MAPLE-71', 2);
    await answer.called;
    await stop();
    time.tick(30_000);
    answer.resolve({ isStart: true });
    await writing;
    // Until gateways share its START, this one goes by it.
    await until(async () => (await scene.hook.suppressions(ANA.phone)).length === 1);
    expect(await both.isStopped()).to.equal(true);
  });

  it('that comes while its gateway closes is shared before that ends', async () => {
    await start();
    const { scene, proxy } = both;
    proxy.held = 'answers';
    const writing = both.write(scene.url, 'STOP', 1);
    await until(() => proxy.heldPieces > 0);
    const closing = scene.hook.close();
    proxy.held = undefined;
    expect((await writing).text).to.contain('no more codes by WhatsApp');
    await closing;
    expect(await both.isStopped()).to.equal(true);
  });

  it('gets 503 from a gateway that is closed, as does a delivery report, so that another one gets it', async () => {
    await start();
    const { scene, other } = both;
    const sid = commandOf(await scene.call())?.['transactionId'] ?? '';
    await scene.hook.close();
    expect((await both.write(scene.url, 'STOP', 1)).status).to.equal(503);
    expect(await both.report(scene.url, sid, 'undelivered')).to.equal(503);
    expect(await both.isStopped()).to.equal(false);
    expect((await both.write(other.url, 'STOP', 1)).status).to.equal(200);
    expect(await both.report(other.url, sid, 'undelivered')).to.equal(204);
    expect(await both.isStopped()).to.equal(true);
    await until(() => both.endings.length > 0);
    expect(both.endings).to.deep.equal(['accepted']);
  });

  it('is kept for a year, though a provider reports afterwards that it cannot reach the user', async () => {
    await start();
    const { scene, other, redis } = both;
    const sid = commandOf(await scene.call())?.['transactionId'] ?? '';
    await stop();
    // 63003: the number is not on WhatsApp. That is kept for a day.
    await both.report(other.url, sid, 'failed', '63003');
    await until(async () =>
      (await other.hook.suppressions(ANA.phone)).some(({ reason }) => reason === 'stopped'),
    );
    await Promise.all([scene.hook.close(), other.hook.close()]);
    const longestMs = Math.max(...(await redis.dump()).map(({ expiresInMs }) => expiresInMs));
    expect(longestMs).to.be.within(364 * DAY_MS, 365 * DAY_MS);
  });

  it('holds for a code to another spelling of the number', async () => {
    const spelling = ANA.phone.replace('+44', '+440');
    mustNotShow(spelling.slice(1));
    await start();
    await stop();
    const answer = await both.scene.call({ phoneNumber: spelling });
    expect(commandOf(answer)?.['transactionMetadata']).to.include('channel=sms');
    expect(channels()).to.deep.equal(['sms']);
  });
});
