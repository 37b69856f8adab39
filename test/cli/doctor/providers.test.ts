import { expect } from 'chai';
import { vonageChannel } from '#lib/channels/index.js';
import { startAzure } from '../../channels/azure/emulator.js';
import { startLineEmulator, type LineEmulator } from '../../channels/line/emulator.js';
import { startAwsEmulator, startMetaEmulator } from '#lib/testing/index.js';
import { startVonageEmulator, type VonageEmulator } from '../../channels/vonage/emulator.js';
import { keptParts } from '../kept-output.js';
import { grant, lineOf, openWard, READ_SCOPES, textOf, WITHOUT, type Line, type Ward } from './scene.js';

describe('doctor without Twilio', () => {
  const expectTexts = keptParts('doctor-providers');
  let vonage: VonageEmulator;
  let line: LineEmulator;
  let ward: Ward;
  before(async () => {
    [vonage, line] = await Promise.all([startVonageEmulator(), startLineEmulator()]);
    const { apiKey, apiSecret, baseUrl } = vonage;
    ward = await openWard({
      hook: () => ({
        credentials: { twilio: undefined },
        publicUrl: undefined,
        sandboxNumber: undefined,
        senders: undefined,
        channels: { sms: vonageChannel({ apiKey, apiSecret, baseUrl, from: 'ACME' }) },
      }),
    });
  });
  after(async () => {
    await ward.close();
    await Promise.all([vonage.close(), line.close()]);
  });
  const variables = (): Record<string, string> => ({
    ...Object.fromEntries(
      Object.keys(ward.env)
        .filter((name) => name.startsWith('TWILIO_'))
        .map((name) => [name, '']),
    ),
    VONAGE_API_KEY: vonage.apiKey,
    VONAGE_API_SECRET: vonage.apiSecret,
    VONAGE_SMS_FROM: 'ACME',
    VONAGE_BASE_URL: vonage.baseUrl,
  });

  const lineAlone = (): Record<string, string> => ({
    ...variables(),
    VONAGE_API_KEY: '',
    VONAGE_API_SECRET: '',
    VONAGE_SMS_FROM: '',
    VONAGE_BASE_URL: '',
    LINE_CHANNEL_ACCESS_TOKEN: line.channelAccessToken,
    LINE_BASE_URL: line.baseUrl,
  });
  /** Compares the findings of these checks with their texts in a file of `test/cli/outputs/`. */
  const expectFindings = async (
    what: string,
    env: Readonly<Record<string, string>>,
    ...checks: readonly string[]
  ): Promise<void> => {
    const isOfOkta = checks.some((check) => check.startsWith('okta.'));
    const lines = await ward.lines({
      ...variables(),
      ...WITHOUT.hook,
      ...(isOfOkta ? {} : WITHOUT.okta),
      ...env,
    });
    expectTexts(what, textOf(lines.filter(({ check }) => checks.includes(check))));
  };

  /** The line of a check with these variables, without Okta and the gateway. */
  const lineWith = async (env: Readonly<Record<string, string>>, check: string): Promise<Line> =>
    lineOf(await ward.lines({ ...variables(), ...WITHOUT.okta, ...WITHOUT.hook, ...env }), check);

  it('skips Twilio and the callbacks, and checks Vonage', async () => {
    const lines = await ward.lines({ ...variables(), ...(await grant(ward.scene, READ_SCOPES)) });
    expect(lines.filter(({ status }) => status !== 'ok')).to.deep.equal([]);
    const checks = lines.map(({ check }) => check);
    expect(checks).to.not.include.oneOf(['hook.callbacks', 'okta.line-user-id', 'channels.sms']);
    await expectFindings('Vonage alone', {}, 'twilio.variables', 'vonage.sms');
    expect(vonage.messages).to.have.lengthOf(0);
  });

  it('fails if Vonage refuses the credentials, and names a missing variable', async () => {
    const refused = await lineWith({ VONAGE_API_SECRET: 'another-secret' }, 'vonage.sms');
    expect(refused).to.include({ status: 'fail' });
    const missing = await lineWith({ VONAGE_API_SECRET: '' }, 'vonage.variables');
    expect(missing.message).to.match(/^VONAGE_API_SECRET is missing/);
  });

  it('checks the calls of an application of Vonage', async () => {
    const { applicationId, privateKey } = vonage;
    const byApplication = {
      ...{ VONAGE_API_KEY: '', VONAGE_API_SECRET: '', VONAGE_APPLICATION_ID: applicationId },
      ...{ VONAGE_PRIVATE_KEY: privateKey, VONAGE_VOICE_FROM: `+${vonage.number}` },
    };
    await expectFindings('calls by Vonage', byApplication, 'vonage.sms', 'vonage.voice');
    expect(vonage.calls).to.have.lengthOf(0);
  });

  it('checks LINE beside Vonage', async () => {
    const env = { LINE_CHANNEL_ACCESS_TOKEN: line.channelAccessToken, LINE_BASE_URL: line.baseUrl };
    await expectFindings('LINE beside Vonage', env, 'line.line');
  });

  it('checks Azure beside Vonage, and fails if it refuses the key', async () => {
    const azure = await startAzure();
    const { endpoint, accessKey } = azure.credential;
    const env = {
      ...{ AZURE_SMS_ENDPOINT: endpoint, AZURE_SMS_ACCESS_KEY: accessKey },
      AZURE_SMS_FROM: azure.number,
    };
    await expectFindings('Azure beside Vonage', env, 'azure.sms');
    const wrong = { ...env, AZURE_SMS_ACCESS_KEY: Buffer.alloc(48, 3).toString('base64') };
    await expectFindings('Azure with another key', wrong, 'azure.sms');
    const missing = await lineWith({ ...env, AZURE_SMS_ACCESS_KEY: '' }, 'azure.variables');
    expect(missing.message).to.match(/^AZURE_SMS_ACCESS_KEY is missing/);
    expect(azure.messages).to.be.empty;
    await azure.close();
  });

  it('says which providers each country gets, and names a provider in no list and one without a sender', async () => {
    const env = { LINE_CHANNEL_ACCESS_TOKEN: line.channelAccessToken, LINE_BASE_URL: line.baseUrl };
    const azure = {
      AZURE_SMS_ENDPOINT: 'https://acme.example',
      AZURE_SMS_ACCESS_KEY: 'key',
      AZURE_SMS_FROM: '+1',
    };
    for (const [what, given] of Object.entries({
      'one list': { SMS_PROVIDERS: 'vonage' },
      'lists by country': { ...azure, SMS_PROVIDERS: 'vonage/IN:azure,vonage/US:azure' },
      'a provider in no list': { ...azure, SMS_PROVIDERS: 'vonage' },
      'a provider without a sender': { SMS_PROVIDERS: 'vonage/IN:aws,vonage', VOICE_PROVIDERS: 'azure' },
      'a wrong country': { SMS_PROVIDERS: 'vonage/UK:vonage' },
    })) {
      await expectFindings(what, { ...env, ...given }, 'channels.sms', 'channels.voice');
    }
    const lists = { ...azure, GUARD_COUNTRIES: 'US', SMS_PROVIDERS: 'vonage/US:azure' };
    const registration = await lineWith(lists, 'vonage.registration');
    expect(registration).to.include({ status: 'ok' });
  });

  it('checks AWS beside Vonage, and fails if it refuses the key', async () => {
    const aws = await startAwsEmulator();
    const { region, originationIdentity, credentials, baseUrl } = aws.credential;
    const env = {
      ...{ AWS_REGION: region, AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SMS_BASE_URL: baseUrl },
      ...{ AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey, AWS_SESSION_TOKEN: credentials.sessionToken },
      AWS_SMS_ORIGINATION_IDENTITY: originationIdentity,
    };
    try {
      await expectFindings('AWS beside Vonage', env, 'aws.sms');
      const wrong = { ...env, AWS_SECRET_ACCESS_KEY: 'another-secret' };
      await expectFindings('AWS with another key', wrong, 'aws.sms');
      const missing = await lineWith({ ...env, AWS_SECRET_ACCESS_KEY: '' }, 'aws.variables');
      expect(missing.message).to.match(/^AWS_SECRET_ACCESS_KEY is missing/);
      expect(aws.messages).to.be.empty;
    } finally {
      await aws.close();
    }
  });

  it('checks Meta beside Vonage: the number, the template, and how long WhatsApp keeps a message', async () => {
    const meta = await startMetaEmulator();
    const { templates, ...given } = meta.credential;
    const env = {
      META_PHONE_NUMBER_ID: given.phoneNumberId,
      META_ACCESS_TOKEN: given.accessToken,
      META_APP_SECRET: given.appSecret,
      META_VERIFY_TOKEN: given.verifyToken,
      META_TEMPLATE: templates.name,
      META_BASE_URL: given.baseUrl,
    };
    try {
      const find = (what: string, more = {}): Promise<void> =>
        expectFindings(what, { ...env, ...more }, 'meta.variables', 'meta.whatsapp', 'meta.template');
      await find('Meta');
      await find('Meta without a template', { META_TEMPLATE: '' });
      await find('Meta with another token', { META_ACCESS_TOKEN: 'another' });
      // Other languages do not count.
      meta.addTemplate({ name: templates.name, language: 'pt_BR' });
      meta.addTemplate({ name: templates.name, language: 'en_US', message_send_ttl_seconds: 300 });
      await find('Meta, with a language that is not used');
      meta.addTemplate({ name: templates.name, language: 'en_US' });
      await find("Meta's default for the validity period");
      meta.addTemplate({ name: templates.name, language: 'en_US', message_send_ttl_seconds: -1 });
      await find('Meta, with thirty days');
      meta.configure({ mayManage: false });
      await find('Meta, and a token that may not read templates');
      expect(meta.messages).to.be.empty;
    } finally {
      await meta.close();
    }
  });

  it('refuses a boolean attribute for LINE alone, and accepts one with channel names', async () => {
    const { okta } = ward.scene;
    const expectOptIn = (what: string, attribute: string): Promise<void> =>
      expectFindings(
        what,
        { ...lineAlone(), OPT_IN_ATTRIBUTE: attribute },
        'okta.attribute',
        'okta.opted-in',
      );
    await expectOptIn('a boolean opt-in attribute for LINE', '');
    await expectOptIn('a missing opt-in attribute for LINE', 'codesBy');
    okta.setAttribute('codesBy', { title: 'Codes by', type: 'string' });
    await expectOptIn('an opt-in attribute of channel names for LINE', 'codesBy');
  });

  it('fails if the attribute of the LINE user id is missing, is not a string, or users may change it', async () => {
    const { okta } = ward.scene;
    const expectUserId = (what: string, name: string): Promise<void> =>
      expectFindings(what, { ...lineAlone(), LINE_USER_ID_ATTRIBUTE: name }, 'okta.line-user-id');
    await expectUserId('a missing LINE user id', '');
    okta.setAttribute('lineIds', { title: 'Ids', type: 'array' });
    await expectUserId('a LINE user id that is a list', 'lineIds');
    await expectUserId('a LINE user id that users may change', 'nickName');
    okta.setAttribute('lineUserId', { title: 'LINE user id', type: 'string' });
    await expectUserId('a LINE user id that users may not change', '');
  });

  it('warns if nothing sends SMS or makes calls', async () => {
    await expectFindings('LINE alone', lineAlone(), 'twilio.variables');
  });

  it('accepts the OAuth variables of a gateway without a client secret, which get no token', async () => {
    const oauth = {
      HOOK_OAUTH_ISSUER: 'https://acme.okta.com/oauth2/default',
      HOOK_OAUTH_AUDIENCE: 'api://default',
      HOOK_OAUTH_CLIENT_ID: '0oahook',
      HOOK_OAUTH_SCOPE: 'telephony',
    };
    const line = await lineWith({ ...oauth, PUBLIC_URL: ward.scene.url }, 'hook.variables');
    expect(line.message).to.equal('Set, without a secret.');
  });
});
