import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '#harness/consumer.js';
import { lineOf, linesOf, openWard, WITHOUT, type Ward } from './scene.js';
import type { RunOptions } from '../runs.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';
import { PROBE_HEADER } from '#lib/okta/probe-mark.js';
import { startTestServer } from '../../testing/local.js';

describe('doctor', () => {
  /** For tests that do not change it. */
  let shared: Ward;
  let ward: Ward | undefined;
  before(async () => {
    shared = await openWard();
  });
  after(() => shared.close());
  const open = async (): Promise<Ward> => (ward = await openWard());
  afterEach(async () => {
    await ward?.close();
    ward = undefined;
  });

  it('sends no message, and the gateway logs its calls after the first as probes', async () => {
    const { doctor, scene } = shared;
    scene.events.length = 0;
    expect((await doctor()).code).to.equal(0);
    const seen = scene.events.flatMap((event) =>
      event.type.endsWith('.rejected') && 'count' in event ? [`${event.type} ${event.count}`] : [],
    );
    expect(seen[0]).to.equal('caller.rejected 1');
    expect(new Set(seen.slice(1))).to.deep.equal(new Set(['probe.rejected 1']));
    const rejections = scene.log.filter(({ fields }) => fields['event'] === 'probe.rejected');
    expect(new Set(rejections.map(({ level }) => level))).to.deep.equal(new Set(['info']));
    // The gateway counts no callback as one of Twilio's.
    expect(scene.events.filter(({ type }) => type === 'message.reported')).to.deep.equal([]);
    const { messages, calls, verifications } = scene.twilio;
    expect([messages, calls, verifications]).to.deep.equal([[], [], []]);
  });

  it('sends neither the secret nor a mark made with it to a host that is not the gateway', async () => {
    const server = await startTestServer((response) => response.writeHead(404).end());
    try {
      const lines = await shared.lines({ PUBLIC_URL: server.url });
      expect(lineOf(lines, 'hook.answers').status).to.equal('fail');
      expect(server.received).to.not.be.empty;
      for (const { headers } of server.received) {
        expect(headers).to.not.have.any.keys(PROBE_HEADER, 'authorization');
      }
    } finally {
      server.close();
    }
  });

  it('skips the opt-in attribute, with the reason, if no channel needs an opt-in', async () => {
    const { lines, scene } = shared;
    const optIn = async (env: RunOptions['env']): Promise<readonly string[]> =>
      (await lines({ ...WITHOUT.hook, ...env })).flatMap(({ check, status, message }) =>
        check === 'okta.attribute' || check === 'okta.opted-in' ? [`${check} ${status} ${message}`] : [],
      );
    expect(await optIn({ TWILIO_SANDBOX_NUMBER: '' })).to.deep.equal([
      'okta.attribute ok Skipped, with okta.opted-in: no WhatsApp sender is set, so users need no attribute to opt in.',
    ]);
    for (const env of [
      { TWILIO_VERIFY_CHANNELS: 'sms,whatsapp' },
      { TWILIO_WHATSAPP_FROM: scene.twilio.smsNumber },
      { LINE_CHANNEL_ACCESS_TOKEN: 'a-token-of-line-0123', LINE_BASE_URL: REFUSING_ORIGIN },
      { OPT_IN_ATTRIBUTE: 'whatsAppOptIn' },
      // The gateway has its senders in code.
      { TWILIO_SMS_FROM: '', TWILIO_VOICE_FROM: '', TWILIO_VERIFY_SERVICE_SID: '' },
    ]) {
      const names = JSON.stringify(Object.keys(env));
      expect(await optIn({ TWILIO_SANDBOX_NUMBER: '', ...env }), names).to.have.length(2);
    }
  });

  it('does not hide a check name that contains a secret', async () => {
    const { lines } = shared;
    const usual = (await lines()).map(({ check }) => check);
    const others = await lines({
      HOOK_SECRET: 'variables',
      REDIS_URL: 'redis://:redis@127.0.0.1:1',
      STATE_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
    });
    expect(others.map(({ check }) => check)).to.include.members(usual);
  });

  it('lists the same checks if the variables of Okta, the hook, Twilio and Redis are wrong', async () => {
    const { lines } = shared;
    const checksWith = async (env: RunOptions['env']): Promise<readonly string[]> =>
      (await lines(env)).map(({ check }) => check).filter((check) => !/^(way|machine)/.test(check));
    const wrong = { OKTA_ORG_URL: 'acme', PUBLIC_URL: 'acme', TWILIO_ACCOUNT_SID: 'acme' };
    const few = ['okta.opted-in', 'hook.callbacks', 'twilio.verify'];
    expect(await checksWith(wrong)).to.deep.equal(
      (await checksWith({})).filter((check) => !few.includes(check)),
    );
    const redis = (await checksWith({ REDIS_URL: 'acme' })).filter((check) => check.startsWith('redis'));
    expect(redis).to.have.length(9);
  });

  it('names every check in its help and in its page', async () => {
    const { doctor, lines } = shared;
    const help = (await doctor('--help')).stdout;
    const more = {
      UNVERIFIED_PHONE_ATTRIBUTE: 'mobilePhone',
      LINE_CHANNEL_ACCESS_TOKEN: 'a-token-of-line-0123',
      LINE_BASE_URL: REFUSING_ORIGIN,
    };
    const names = (await lines(more)).map(({ check }) => check);
    expect(names).to.have.length.above(37);
    const page = readFileSync(join(ROOT, 'docs/reference/doctor.md'), 'utf8');
    for (const [group, name] of names.map((check) => check.split('.') as [string, string])) {
      const own = new RegExp(`^  ${group}\\.[^.]*\\b${name}\\b`, 'm');
      expect(help, `${group}.${name}`).to.match(own);
      expect(page).to.include(`\n- \`${group}.${name}\`: `);
    }
  });

  it('exits with 0 if there are only warnings', async () => {
    const env = { TWILIO_VOICE_FROM: '', TWILIO_VERIFY_SERVICE_SID: '' };
    const made = await shared.doctor('--json', { env });
    expect(lineOf(linesOf(made), 'twilio.voice')).to.include({ status: 'warn' });
    expect(made.code).to.equal(0);
  });

  it('accepts a --timeout of up to 120 seconds, and exits with 2 for another or for unknown options', async () => {
    const env = { ...WITHOUT.okta, ...WITHOUT.twilio };
    for (const time of ['1', '120', '0.5', '007']) {
      expect((await shared.doctor(`--timeout ${time} --json`, { env })).stdout, time).to.match(/^\[/);
    }
    const wrong = ['120.1', '121', '1000', '1.', '.5', '1s', 'x1', 'never', '0'];
    for (const words of [...wrong.map((time) => `--timeout ${time}`), '--user ana', '--header a:b']) {
      expect((await shared.doctor(words)).code, words).to.equal(2);
    }
  });

  it('asks for missing secrets at a terminal', async () => {
    const { doctor, scene } = shared;
    const env = {
      OKTA_API_TOKEN: '',
      TWILIO_API_KEY_SID: '',
      TWILIO_API_KEY_SECRET: '',
      TWILIO_AUTH_TOKEN: '',
    };
    const made = await doctor('--json', { env, answers: [scene.okta.apiToken, scene.twilio.authToken] });
    expect(made.stderr).to.include('OKTA_API_TOKEN (').and.include('TWILIO_AUTH_TOKEN (');
    expect(lineOf(linesOf(made), 'okta.credential')).to.include({ status: 'ok' });
    expect(lineOf(linesOf(made), 'twilio.auth-token')).to.include({ status: 'ok' });
  });

  it('counts at most 200 users who have opted in', async () => {
    const { lines, scene } = await open();
    for (let index = 0; index < 210; index += 1) {
      scene.okta.addUser({ login: `user${index}@example.com`, profile: { whatsAppOptIn: true } });
    }
    expect(lineOf(await lines({ ...WITHOUT.hook, ...WITHOUT.twilio }), 'okta.opted-in').message).to.include(
      'More than 200',
    );
  });

  it('fails the checks of an org that hangs, and makes all the others', async () => {
    const { lines, scene } = await open();
    scene.okta.fault({ fault: { kind: 'hang' }, match: () => true });
    // Long enough for the other checks, even on a busy machine.
    const found = await lines({}, '--timeout 5');
    expect(lineOf(found, 'okta.org')).to.include({ status: 'fail' });
    expect(lineOf(found, 'okta.hook').message).to.include('okta.org');
    expect(lineOf(found, 'machine.clock')).to.include({ status: 'warn' });
    for (const check of ['hook.answers', 'hook.callbacks', 'twilio.credential', 'twilio.sms']) {
      expect(lineOf(found, check), check).to.include({ status: 'ok' });
    }
  });
});
