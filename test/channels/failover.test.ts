import { expect } from 'chai';
import { vonageChannel } from '#lib/channels/index.js';
import { twilioMessages } from '#lib/index.js';
import type { Fault } from '#lib/testing/index.js';
import type { RecordedRequest } from '#lib/testing/server/request.js';
import { CODE, commandOf, startScene, type Scene } from '#harness/scene.js';
import { until } from '#harness/until.js';
import { startVonageEmulator, type VonageEmulator } from './vonage/emulator.js';

describe('two providers of SMS', () => {
  let vonage: VonageEmulator;
  let scene: Scene;
  beforeEach(async () => {
    vonage = await startVonageEmulator();
    const { apiKey, apiSecret, number, baseUrl } = vonage;
    const sms = [twilioMessages(), vonageChannel({ apiKey, apiSecret, from: number, baseUrl })];
    scene = await startScene({
      hook: ({ origin }) => ({
        publicUrl: `${origin}/okta/telephony`,
        sandboxNumber: undefined,
        channels: { sms },
      }),
    });
  });
  afterEach(() => Promise.all([scene.close(), vonage.close()]));

  const texts = (): (string | undefined)[] => vonage.messages.map(({ text }) => text);
  const breakers = (): Record<string, string> => scene.hook.status().breakers;
  const hostOf = (url: string): string => new URL(url).host;

  it('send by the first if it accepts the message', async () => {
    expect(commandOf(await scene.call())).to.include({ status: 'SUCCESSFUL', provider: 'TWILIO' });
    expect(vonage.requests).to.be.empty;
  });

  for (const [title, fault, code] of [
    ['does not accept the credentials', { kind: 'status', status: 401, body: { code: 20003 } }, '20003'],
    ['is not available', { kind: 'status', status: 503, body: { code: 20503 } }, '20503'],
    ['answers 429', { kind: 'status', status: 429, body: { code: 20429 } }, '20429'],
  ] as const satisfies readonly (readonly [string, Fault, string])[]) {
    it(`send by the second if the first ${title}`, async () => {
      scene.twilio.fault(fault);
      const command = commandOf(await scene.call());
      expect(command).to.include({ status: 'SUCCESSFUL', provider: 'VONAGE' });
      expect(command?.['transactionMetadata']).to.match(new RegExp(`;refused=sms:${code}$`));
      expect(texts()).to.deep.equal([`Your code is ${CODE}`]);
    });
  }

  it('send by the second after an unknown outcome only when the breaker of the first is open', async () => {
    scene.twilio.fault({ kind: 'html', status: 500 });
    for (let count = 0; count < 5; count += 1) {
      expect(commandOf(await scene.call())).to.include({ status: 'PENDING', provider: 'TWILIO' });
    }
    expect(texts()).to.be.empty;
    const command = commandOf(await scene.call());
    expect(command).to.include({ status: 'SUCCESSFUL', provider: 'VONAGE' });
    expect(command?.['transactionMetadata']).to.match(/;refused=sms:BREAKER_OPEN$/);
    expect(breakers()).to.deep.equal({
      [hostOf(scene.okta.orgUrl)]: 'closed',
      [hostOf(scene.twilio.baseUrl)]: 'open',
      [hostOf(vonage.baseUrl)]: 'closed',
    });
  });

  it('do not send by the second after an opt-out from SMS or for an invalid number', async () => {
    scene.twilio.refuseWith({ code: 21610, times: 1 });
    scene.twilio.refuseWith({ code: 21211, times: 1 });
    for (const code of ['21610', '21211']) {
      await scene.call();
      const ended = scene.events.filter((event) => event.type === 'attempt.ended');
      expect(ended.at(-1)).to.include({ channel: 'sms', provider: 'TWILIO', outcome: 'refused', code });
    }
    expect(vonage.requests).to.be.empty;
  });

  it('send the same code by the second if the first accepts it and then reports a failure', async () => {
    const isSms = ({ form }: RecordedRequest): boolean => form?.['Body'] !== undefined;
    scene.twilio.failLater({ code: 30008, status: 'undelivered', match: isSms });
    expect(commandOf(await scene.call())).to.include({ status: 'SUCCESSFUL', provider: 'TWILIO' });
    await until(() => scene.events.some(({ type }) => type === 'failover.ended'));
    expect(scene.events.find((event) => event.type === 'failover.ended')).to.deep.nested.include({
      fromChannel: 'sms',
      'cause.code': '30008',
      outcome: 'accepted',
      channel: 'sms',
      provider: 'VONAGE',
      transactionId: vonage.messages[0]?.id,
    });
    expect(texts()).to.deep.equal([`Your code is ${CODE}`]);
  });

  it('give both refusals in one answer', async () => {
    scene.twilio.refuseWith({ code: 20503 });
    vonage.refuseWith({ status: 422, error: '1420' });
    const { body } = await scene.call();
    expect(JSON.stringify(body))
      .to.include('20503: ')
      .and.to.include('1420: Vonage does not accept the sender');
  });
});
