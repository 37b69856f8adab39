import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '#harness/consumer.js';
import { HOOK_SECRET } from '#harness/scene.js';
import { mustNotShow } from '#harness/witness.js';
import { run } from '../runs.js';
import { grant, lineOf, openWard, type Line, type Ward } from './scene.js';

const CLIENT_ID = '0oahookclient0001d7';
const CLIENT_SECRET = 'client-secret-41bb90';
const ELSEWHERE = 'x-api-client-token';

describe('doctor checks the credentials that Okta sends to the gateway:', () => {
  let ward: Ward | undefined;
  const open = async (options?: Parameters<typeof openWard>[0]): Promise<Ward> =>
    (ward = await openWard(options));
  afterEach(async () => {
    await ward?.close();
    ward = undefined;
  });

  /** Runs doctor. Returns the warnings that it leaves in the gateway's log, without the one of the first call. */
  const warningsOf = async (
    opened: Ward,
    env: Readonly<Record<string, string>>,
  ): Promise<readonly string[]> => {
    const { log } = opened.scene;
    const before = log.length;
    await opened.doctor('', { env });
    // The gateway writes the lines of a minute when it closes.
    await opened.close();
    const [first, ...others] = log
      .slice(before)
      .filter(({ level }) => level === 'warn')
      .map(({ fields }) => `${String(fields['event'])} ${String(fields['code'] ?? fields['hook'])}`);
    expect(first).to.equal('caller.rejected inline');
    return others.toSorted();
  };
  const UNSIGNED = 'request.rejected BAD_SIGNATURE';
  const ACCEPTED = 'request.rejected INVALID_REQUEST';
  const SECRET_LINES = [
    ['right', HOOK_SECRET, undefined],
    [
      'wrong',
      'another-hook-secret-1',
      undefined,
      'caller.rejected event',
      'caller.rejected inline',
      UNSIGNED,
    ],
    ['missing', '', undefined, UNSIGNED],
    ['short', 'short-one', 'short-one', UNSIGNED, ACCEPTED, ACCEPTED],
  ] as const;
  for (const [what, secret, ofGateway, ...warnings] of SECRET_LINES) {
    it(`a ${what} secret, with the warnings of the guide in the gateway's log`, async () => {
      mustNotShow('another-hook-secret-1');
      const hook = ofGateway && { scheme: 'header' as const, secrets: [ofGateway] };
      const opened = await open(hook && { isSetUp: false, hook: () => ({ credentials: { hook } }) });
      expect(await warningsOf(opened, { HOOK_SECRET: secret })).to.deep.equal(warnings);
    });
  }

  it('and the guide names the events and the codes of these warnings', () => {
    const guide = readFileSync(join(ROOT, 'docs/run/check.md'), 'utf8');
    const [, section = ''] = guide.split("## Lines in the gateway's log\n");
    for (const word of new Set(`${UNSIGNED} ${ACCEPTED} caller.rejected inline event`.split(' ')))
      expect(section).to.match(new RegExp(`[\`"]${word}[\`"]`));
  });

  describe('a token', () => {
    const openFor = async (audience: string): Promise<Ward> => {
      mustNotShow(CLIENT_SECRET);
      const opened = await open({
        isSetUp: false,
        hook: ({ okta }) => ({
          credentials: {
            hook: {
              scheme: 'oauth2',
              issuer: okta.issuer,
              audience,
              clientId: CLIENT_ID,
              scope: 'telephony',
            },
          },
        }),
      });
      const client = { clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, scopes: ['telephony'] };
      opened.scene.okta.registerHookClient(client);
      return opened;
    };
    const oauth = ({ scene }: Ward): Record<string, string> => ({
      HOOK_SECRET: '',
      HOOK_OAUTH_CLIENT_ID: CLIENT_ID,
      HOOK_OAUTH_TOKEN_URL: `${scene.okta.issuer}/v1/token`,
      HOOK_OAUTH_SCOPE: 'telephony',
      HOOK_OAUTH_CLIENT_SECRET: CLIENT_SECRET,
    });
    const secretLine = async (opened: Ward, env = oauth(opened)): Promise<Line> =>
      lineOf(await opened.lines({ ...opened.byToken, ...env }), 'hook.secret');

    it('with a note that its calls have no mark without HOOK_SECRET', async () => {
      const opened = await openFor('api://default');
      const lines = await opened.lines(oauth(opened));
      expect(lineOf(lines, 'hook.variables').message).to.include('Without a HOOK_SECRET of 16 characters');
    });

    it('that the gateway accepts', async () => {
      const opened = await openFor('api://default');
      expect(await secretLine(opened)).to.include({ status: 'ok' });
      expect(opened.scene.twilio.messages).to.deep.equal([]);
    });

    it('that the gateway refuses because of its audience', async () => {
      const line = await secretLine(await openFor('api://telephony'));
      expect(line).to.include({ status: 'fail' });
      expect(line.message).to.include('does not accept the token');
      expect(line.remedy).to.include('audience');
    });

    for (const [audience, warning] of [
      ['api://default', ACCEPTED],
      ['api://telephony', 'caller.rejected inline'],
    ] as const) {
      it(`of a gateway for ${audience}, with the warnings of the guide in its log`, async () => {
        const opened = await openFor(audience);
        expect(await warningsOf(opened, oauth(opened))).to.deep.equal([UNSIGNED, warning].toSorted());
      });
    }

    it('that the authorization server does not issue, because the client secret is wrong', async () => {
      const opened = await openFor('api://default');
      const line = await secretLine(opened, { ...oauth(opened), HOOK_OAUTH_CLIENT_SECRET: 'of-nobody-here' });
      expect(line).to.include({ status: 'fail' });
      expect(line.remedy).to.include('HOOK_OAUTH_CLIENT_SECRET');
    });

    it('that only Okta can get, with a warning that doctor cannot test it', async () => {
      const opened = await openFor('api://default');
      const env = { ...oauth(opened), HOOK_OAUTH_CLIENT_SECRET: '', HOOK_OAUTH_KEY_ID: 'HKYdoctor000000001' };
      const line = await secretLine(opened, env);
      expect(line).to.include({ status: 'warn' });
      expect(line.message).to.include('could not test');
    });

    it('and fails if variables are missing, or if both a secret and a key are set', async () => {
      const opened = await openFor('api://default');
      const { HOOK_OAUTH_CLIENT_ID: _, ...without } = oauth(opened);
      for (const [env, names] of [
        [{ ...without, HOOK_SECRET }, 'HOOK_OAUTH_CLIENT_ID is missing'],
        [{ HOOK_OAUTH_KEY_ID: 'HKYdoctor000000001' }, 'HOOK_OAUTH_TOKEN_URL is missing'],
        [{ ...oauth(opened), HOOK_OAUTH_KEY_ID: 'HKYdoctor000000001' }, 'HOOK_OAUTH_KEY_ID does not go with'],
      ] as const) {
        const line = lineOf(await opened.lines({ ...opened.byToken, ...env }), 'hook.variables');
        expect(line, names).to.include({ status: 'fail' });
        expect(line.message).to.include(names);
      }
    });
  });

  describe('a secret in another header', () => {
    const openElsewhere = (isSetUp: boolean): Promise<Ward> =>
      open({
        isSetUp,
        hook: () => ({
          credentials: { hook: { scheme: 'header', name: ELSEWHERE, secrets: [HOOK_SECRET] } },
        }),
      });
    const CHECKS = ['hook.secret', 'hook.event-secret'];

    it('with a warning if doctor cannot read the header from Okta', async () => {
      const { lines, scene } = await openElsewhere(false);
      await grant(scene, ['okta.users.read']);
      const found = await lines();
      for (const check of CHECKS) {
        expect(lineOf(found, check), check).to.include({ status: 'warn' });
        expect(lineOf(found, check).message)
          .to.include('in the header Authorization')
          .and.include('could not read');
        expect(lineOf(found, check).remedy).to.include('--header');
      }
    });

    it('that --header names', async () => {
      const { lines, scene } = await openElsewhere(false);
      await grant(scene, ['okta.users.read']);
      const found = await lines({}, `--header ${ELSEWHERE}`);
      for (const check of CHECKS) expect(lineOf(found, check), check).to.include({ status: 'ok' });
      const wrong = await lines({}, '--header x-of-nobody');
      for (const check of CHECKS) expect(lineOf(wrong, check), check).to.include({ status: 'fail' });
    });

    it('that only the event hook has in Okta', async () => {
      const { lines, scene } = await open({
        isSetUp: false,
        hook: () => ({
          credentials: { eventHook: { scheme: 'header', name: ELSEWHERE, secrets: [HOOK_SECRET] } },
        }),
      });
      const env = { PUBLIC_URL: scene.url, HOOK_SECRET };
      for (const words of ['hook', `event-hook --header ${ELSEWHERE}`])
        expect((await run(scene.okta, `setup ${words} --yes`, { env })).code).to.equal(0);
      const found = await lines();
      for (const check of CHECKS) expect(lineOf(found, check), check).to.include({ status: 'ok' });
    });

    it('and exits with 2 on an invalid header name', async () => {
      const { doctor } = await open({ isSetUp: false });
      expect((await doctor('--header a:b')).code).to.equal(2);
    });
  });
});
