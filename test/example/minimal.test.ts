import { expect } from 'chai';
import { exampleCommand, ExampleRun } from '#harness/example-run.js';
import { freePort, REFUSING_ORIGIN } from '#harness/free-port.js';
import { until } from '#harness/until.js';
import { mustNotShow, witness } from '#harness/witness.js';

describe('the minimal gateway of the example', () => {
  it('serves the hook with the variables from the guide to options', async () => {
    mustNotShow('hook-secret-of-minimal-test', 'auth-token-of-minimal-test');
    const port = await freePort();
    const run = new ExampleRun(
      {
        OKTA_ORG_URL: REFUSING_ORIGIN,
        OKTA_API_TOKEN: 'api-token-of-minimal-test',
        HOOK_SECRET: 'hook-secret-of-minimal-test',
        TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
        TWILIO_AUTH_TOKEN: 'auth-token-of-minimal-test',
        TWILIO_BASE_URL: REFUSING_ORIGIN,
        TWILIO_SMS_FROM: '+12025550177',
        PORT: String(port),
      },
      exampleCommand('minimal'),
    );
    try {
      const call = (authorization: string): Promise<number | undefined> =>
        fetch(`http://127.0.0.1:${port}/okta/telephony`, {
          method: 'POST',
          headers: { authorization, 'content-type': 'application/json' },
          body: '{}',
        }).then(
          ({ status }) => status,
          () => undefined,
        );
      await until(async () => run.child.exitCode !== null || (await call('nobody')) !== undefined);
      expect(await call('nobody'), run.stderr).to.equal(401);
      // The right secret, but not a hook request.
      expect(await call('hook-secret-of-minimal-test')).to.equal(400);
      witness(run.stdout + run.stderr);
    } finally {
      run.kill();
    }
  });
});
