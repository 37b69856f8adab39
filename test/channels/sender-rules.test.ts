import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { brokenSenderRules, kindOfSender, RULES_READ_ON, SENDER_RULES } from '#lib/channels/sender-rules.js';
import { awsSms, azureSms, vonageChannel } from '#lib/channels/index.js';
import type { OktaTelephonyHookOptions } from '#lib/index.js';
import { scenes } from '#harness/scene.js';

const COUNTRY = /^[A-Z]{2}$/;
const DATE = /^\d{4}-\d\d-\d\d$/;

describe('the rules about senders', () => {
  it('have a source, countries and, if it is known, a date', () => {
    expect(RULES_READ_ON).to.match(DATE);
    for (const { countries, since = RULES_READ_ON, source } of SENDER_RULES) {
      expect(countries.every((country) => COUNTRY.test(country))).to.equal(true);
      expect([...countries]).to.deep.equal([...countries].sort());
      expect(since).to.match(DATE);
      expect(new URL(source).protocol).to.equal('https:');
    }
  });

  for (const [from, kind] of [
    ['ACME', 'letters'],
    ['Acme 24', 'letters'],
    ['+14155550100', 'long-code'],
    ['14155550100', 'long-code'],
    ['+18885550100', 'toll-free'],
    ['+16045550100', undefined],
    ['+447700900123', undefined],
    ['12345', undefined],
    [`MG${'0a1b'.repeat(8)}`, undefined],
    ['pool-0123456789abcdef0123456789abcdef', undefined],
    ['arn:aws:sms-voice:eu-central-1:123456789012:sender-id/ACME/DE', undefined],
  ] as const) {
    it(`take ${from} for ${kind ?? 'no sender that they know'}`, () => {
      expect(kindOfSender(from)).to.equal(kind);
    });
  }

  it('say nothing of a country that they do not have, and of a sender that they do not know', () => {
    const known = new Set(SENDER_RULES.flatMap(({ countries }) => countries));
    const senders = ['ACME', '+14155550100', '+18885550100', '12345', `MG${'0a1b'.repeat(8)}`];
    const elsewhere = ['GB', 'DE', 'FR', 'BR', 'JP', 'ZZ'].filter((country) => !known.has(country));
    expect(elsewhere).to.have.length(6);
    const inCountries = (of: readonly string[], countries: readonly string[]): readonly unknown[] =>
      brokenSenderRules(
        of.flatMap((from) => countries.map((country) => ({ from, option: 'senders.sms', country }))),
      );
    expect(inCountries(senders, elsewhere)).to.be.empty;
    expect(inCountries(senders.slice(1), [...known])).to.be.empty;
  });

  it('take an Indian sender without DLT ids for wrong only if its channel takes them', () => {
    const toIndia = { from: '+14155550100', option: 'channels.sms', country: 'IN' };
    const sentences = (hasDlt: boolean | undefined): readonly string[] =>
      brokenSenderRules([{ ...toIndia, hasDlt }]).map(({ problem }) => problem);
    expect(sentences(undefined)).to.be.empty;
    expect(sentences(true)).to.be.empty;
    expect(sentences(false).join()).to.match(/^IN: texts without ids of DLT go by international routes, /);
  });
});

describe('the guide to senders', () => {
  it('has every rule, and the date', () => {
    const guide = readFileSync('docs/deliver/senders.md', 'utf8');
    const rules = SENDER_RULES.map(({ countries, effect, since, source }) => {
      const when = since === undefined ? '' : ` since ${since}`;
      return `- **${countries.join(', ')}**: ${effect}${when}. [Source](${source})`;
    });
    expect(guide).to.include(`Read on ${RULES_READ_ON}.`).and.include(rules.join('\n'));
  });
});

describe('the hook', () => {
  const startScene = scenes();
  const warningOf = async (
    allow: readonly string[] | undefined,
    hook: Partial<OktaTelephonyHookOptions>,
  ): Promise<readonly [where: readonly string[], remedy: string] | undefined> => {
    const scene = await startScene({
      hook: { ...hook, guard: { countries: allow === undefined ? { deny: ['CU'] } : { allow } } },
    });
    const warned = scene.of('configuration.warned').filter(({ option }) => option === 'senders.countries');
    expect(warned.length).to.be.below(2);
    return warned[0] && [warned[0].where, warned[0].remedy ?? ''];
  };
  const keys = { accessKeyId: 'AKIA0', secretAccessKey: 'secret-key' };
  const aws = { region: 'eu-central-1', credentials: keys };

  it('warns of a sender of letters where none works, with the countries, the source and the remedy', async () => {
    const [where, remedy = ''] = (await warningOf(['US', 'GB', 'CA'], { senders: { sms: 'ACME' } })) ?? [];
    expect(where).to.deep.equal(['senders.sms']);
    expect(remedy).to.equal(
      'senders.sms: CA, US: senders of letters do not work (https://docs.aws.amazon.com/sms-voice/latest/userguide/sender-id.html). Set a number for them in senders.sms or channels, beside default. With optionsFrom(), set TWILIO_SMS_FROM to a Messaging Service that has one, or name another provider for them in SMS_PROVIDERS.',
    );
  });

  it('warns of a sender that needs a registration until the country is named', async () => {
    const [, remedy] = (await warningOf(['SG'], { senders: { sms: 'ACME' } })) ?? [];
    expect(remedy).to.include('SG: texts of a sender that is not registered').and.include('since 2023-01-31');
    expect(await warningOf(['SG'], { senders: { sms: { default: '+14155550100', SG: 'ACME' } } })).to.equal(
      undefined,
    );
  });

  it('warns of the SMS beside RCS', async () => {
    const sms = { service: `MG${'0a1b'.repeat(8)}`, fallbackFrom: 'ACME' };
    const [where] = (await warningOf(['US'], { senders: { sms } })) ?? [];
    expect(where).to.deep.equal(['senders.sms.fallbackFrom']);
  });

  for (const [what, hook] of [
    ['a number for the country', { senders: { sms: { default: 'ACME', US: '+14155550100' } } }],
    ['a Messaging Service', { senders: { sms: `MG${'0a1b'.repeat(8)}` } }],
    ['a US number', { senders: { sms: '+14155550100' } }],
    ['a toll-free number', { senders: { sms: '+18885550100' } }],
  ] as const) {
    it(`does not warn of ${what}`, async () => {
      expect(await warningOf(['US', 'CA'].slice(0, what.includes('country') ? 1 : 2), hook)).to.equal(
        undefined,
      );
    });
  }

  it('warns of nothing without a list of allowed countries', async () => {
    expect(await warningOf(undefined, { senders: { sms: 'ACME' } })).to.equal(undefined);
  });

  it('warns of a provider only for the countries whose numbers it gets', async () => {
    const byNumber = awsSms({ ...aws, originationIdentity: '+14155550100', dlt: { entityId: '1101' } });
    const byName = awsSms({ ...aws, originationIdentity: 'ACME', dlt: { entityId: '1101' } });
    const none = { senders: undefined, sandboxNumber: undefined };
    const named = { sms: { default: byNumber, SG: byName } };
    expect(await warningOf(['US', 'SG', 'IN'], { ...none, channels: named })).to.equal(undefined);
    // Companies from elsewhere cannot register at DLT.
    const indian = awsSms({ ...aws, originationIdentity: 'ACME' });
    expect(
      await warningOf(['IN'], { ...none, channels: { sms: { default: byNumber, IN: indian } } }),
    ).to.equal(undefined);
    const [where, remedy] =
      (await warningOf(['US', 'SG'], { ...none, channels: { sms: { default: byName, US: byNumber } } })) ??
      [];
    expect(where).to.deep.equal(['channels.sms.default']);
    expect(remedy).to.match(/^channels\.sms\.default: SG: /);
  });

  it('warns of the senders of other providers, and of DLT for India', async () => {
    const sms = [
      awsSms({ ...aws, originationIdentity: 'ACME' }),
      vonageChannel({
        apiKey: 'a1b2c3d4',
        apiSecret: 'vonage-secret',
        from: 'ACME',
        dlt: { entityId: '1101' },
      }),
      azureSms({
        endpoint: 'https://acme.communication.azure.com',
        accessKey: Buffer.alloc(32).toString('base64'),
        from: 'ACME',
      }),
    ];
    const [where, remedy = ''] =
      (await warningOf(['IN'], { senders: undefined, sandboxNumber: undefined, channels: { sms } })) ?? [];
    expect(where).to.have.members(['channels.sms[0]', 'channels.sms[2]']);
    expect(remedy).to.include('channels.sms[0]: IN: texts without ids of DLT go by international routes');
    expect(remedy).to.include('channels.sms[2]: IN: the sender must be registered');
  });
});
