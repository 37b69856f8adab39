import { expect } from 'chai';
import { startOktaEmulator, startTwilioEmulator } from '#lib/testing/index.js';
import type { OktaEmulator, TwilioEmulator } from '#lib/testing/index.js';
import { ExampleRun } from '#harness/example-run.js';
import { expectEachAccountedFor, startSteadyLoad, type SteadyLoad } from '#harness/steady-load.js';
import { until } from '#harness/until.js';
import { mustNotShow, witness } from '#harness/witness.js';

const HOOK_SECRET = 'hook-secret-of-the-draining-test';

describe('the example gateway under load', function () {
  let okta: OktaEmulator;
  let twilio: TwilioEmulator;
  let run: ExampleRun;
  let load: SteadyLoad;
  let origin: string;

  beforeEach(async () => {
    [okta, twilio] = await Promise.all([startOktaEmulator(), startTwilioEmulator()]);
    mustNotShow(HOOK_SECRET, okta.apiToken, twilio.apiKeySecret);
    twilio.fault({ kind: 'slow', delayMs: 300 });
    run = new ExampleRun({
      OKTA_ORG_URL: okta.orgUrl,
      OKTA_API_TOKEN: okta.apiToken,
      HOOK_SECRET,
      TWILIO_ACCOUNT_SID: twilio.accountSid,
      TWILIO_API_KEY_SID: twilio.apiKeySid,
      TWILIO_API_KEY_SECRET: twilio.apiKeySecret,
      TWILIO_BASE_URL: twilio.baseUrl,
      TWILIO_SMS_FROM: twilio.smsNumber,
      PORT: '0',
    });
    const [, port = ''] = await run.printed(/listens on port (\d+)/);
    await run.printed(/state: ok/);
    twilio.requests.length = 0;
    origin = `http://127.0.0.1:${port}`;
    const url = `${origin}/okta/telephony`;
    load = startSteadyLoad({ url, secret: HOOK_SECRET, orgUrl: okta.orgUrl }, 6);
  });
  afterEach(async () => {
    run.kill();
    await load.stop();
    await Promise.all([okta.close(), twilio.close()]);
  });

  const answered = (): number => load.offered.filter(({ status }) => status === 'SUCCESSFUL').length;
  const expectEndedInOrder = async (): Promise<void> => {
    expect(await run.exitCode()).to.equal(0);
    await load.refused;
    witness(run.stdout);
    expect(run.stderr).to.equal('');
    // Each call gets a whole answer or none. After a 503, Okta would send the code itself.
    expect(new Set(load.offered.map(({ httpStatus }) => httpStatus))).to.deep.equal(
      new Set([200, undefined]),
    );
    expectEachAccountedFor(load.offered, twilio);
  };

  it('loses no code and sends none twice on SIGTERM: the probe gets 503, calls are served on, then it exits', async () => {
    await until(() => answered() >= 20);
    run.child.kill('SIGTERM');
    await run.printed(/SIGTERM: finishing/);
    const { begun } = load;
    const probe = await fetch(`${origin}/health/ready`);
    expect(probe.status).to.equal(503);
    expect(await probe.json()).to.deep.equal({ isReady: false });
    await expectEndedInOrder();
    // A caller that has not noticed yet still gets an answer, on a connection that then closes.
    const served = load.offered.filter(({ number, httpStatus }) => number >= begun && httpStatus === 200);
    expect(served).to.not.be.empty;
    for (const event of served) expect(event.isLastOfConnection).to.equal(true);
  });

  it('loses no code and sends none twice on SIGINT, and exits once the calls in flight are over', async () => {
    await until(() => answered() >= 20);
    run.child.kill('SIGINT');
    await expectEndedInOrder();
  });
});
