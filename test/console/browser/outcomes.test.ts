import { expect } from 'chai';
import { explainOutcome, explainProviders } from '#lib/console/browser/outcomes.js';
import type { Execution } from '#lib/console/history/answers.js';
import { twilioMessages, type Channel } from '#lib/index.js';
import type { HookOptions } from '#harness/scene.js';
import { serveConsole, type ServedConsole } from '../served-console.js';

describe('the providers of an execution', () => {
  let served: ServedConsole;
  afterEach(() => served.close());

  const providers = async (channels: HookOptions['channels']): Promise<string | undefined> => {
    served = await serveConsole({ hook: { channels } });
    await served.scene.call({ eventId: 'event-1' });
    return explainProviders((await served.ask('/api/executions/event-1')).json as Execution);
  };
  const own: Channel = { send: () => Promise.resolve({ status: 'accepted', transactionId: '1' }) };

  it('are those of the list that the number got, by channel', async () => {
    expect(await providers({ whatsapp: { default: own, IN: own }, sms: { default: own, GB: own } })).to.equal(
      'WhatsApp (by the default providers), SMS (by the providers for GB)',
    );
  });

  it('are not shown without lists by country', async () => {
    expect(await providers({ sms: own })).to.equal(undefined);
  });
});

describe('the meaning of an outcome', () => {
  let served: ServedConsole;
  afterEach(() => served.close());

  const meaning = async (): Promise<string> => {
    await served.scene.call({ eventId: 'event-why' });
    return explainOutcome((await served.ask('/api/executions/event-why')).json as Execution);
  };
  const refuse = (code: number): void => {
    served.scene.twilio.refuseWith({
      code,
      match: ({ form }) => String(form?.['To']).startsWith('whatsapp:'),
    });
  };

  it('says which channel may have sent the code if the outcome is unknown', async () => {
    served = await serveConsole();
    refuse(63_007);
    served.scene.twilio.fault({
      fault: { kind: 'reset' },
      match: ({ form }) => !String(form?.['To']).startsWith('whatsapp:'),
    });
    const text = await meaning();
    expect(text).to.match(/may have gone out/);
    expect(text).to.match(/ Tried by SMS, because WhatsApp failed \(63007: /);
    expect(text).to.not.include('Sent by');
  });

  it('gives no channel as the reason for itself if another provider of it sent the code', async () => {
    served = await serveConsole({
      hook: {
        channels: {
          whatsapp: [
            {
              provider: 'ONE',
              send: () => Promise.resolve({ status: 'refused', code: 'NOT_NOW', reason: 'No.' }),
            },
            {
              provider: 'TWO',
              send: () => Promise.resolve({ status: 'refused', code: 'NO_MORE', reason: 'No.' }),
            },
          ],
          sms: [
            {
              provider: 'ONE',
              send: () => Promise.resolve({ status: 'refused', code: 'NOT_NOW', reason: 'No.' }),
            },
            twilioMessages(),
          ],
        },
        sandboxNumber: undefined,
      },
    });
    const text = await meaning();
    expect(text).to.not.include('SMS failed');
    expect(text.match(/WhatsApp failed/g), text).to.have.length(1);
  });
});
