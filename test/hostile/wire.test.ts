import { expect } from 'chai';
import fc from 'fast-check';
import { commandIn, expectAnswer, expectNothingPolluted, expectNoSecretsIn } from './expectations.js';
import { startGateway, type Gateway } from './gateway.js';
import { check, PATIENCE_MS, withSeed } from './runs.js';
import { exchange } from './wire.js';
import { wireRequest } from './wire-requests.js';
import { HOOK_SECRET } from '#harness/scene.js';
import { until } from '#harness/until.js';

describe(withSeed('hostile connections'), function () {
  this.timeout(PATIENCE_MS);
  let gateway: Gateway;
  /** The number of requests that Node passed to the gateway. */
  let arrived = 0;
  before(async () => {
    gateway = await startGateway({
      mount: (app, hook) => {
        app.use((_req, _res, next) => {
          arrived += 1;
          next();
        });
        app.use(hook);
        app.use((_req, res) => {
          res.status(404).type('text').send("the gateway's own");
        });
      },
    });
  });
  after(() => gateway.close());

  it('get one answer each, by method, credential, type and length in turn; only valid calls send a message', async () => {
    await check(
      'connections',
      fc.asyncProperty(wireRequest, async (request) => {
        arrived = 0;
        const answers = await exchange(gateway.scene.server, request.pieces, request.endsEarly);
        await until(() => gateway.scene.hook.status().inFlight === 0);
        const sent = gateway.takeSent();
        const whole = answers
          .map(({ headers, body }) => JSON.stringify({ ...headers, date: '' }) + body)
          .join();
        const secrets = [...request.good.secrets, HOOK_SECRET];
        expectNoSecretsIn(secrets, whole, gateway.takeOutput(), [request.eventId, ...request.good.ids]);
        expectNothingPolluted();
        expect(arrived).to.be.at.most(1);
        if (request.isWellFormed === false) expect(arrived).to.equal(0);

        const [answer] = answers;
        const isNodesOwn = answer === undefined || answer.headers['cache-control'] === undefined;
        if (arrived === 0 || !request.isForHook) {
          expect(isNodesOwn).to.equal(true);
          expect(sent).to.be.empty;
          return;
        }
        const isBroken = request.endsEarly || request.isWellFormed === undefined;
        // Node itself answers a broken request if the hook has not answered yet.
        if (isBroken && isNodesOwn) {
          expect(sent).to.be.empty;
          return;
        }
        expect(answers).to.have.length(1);
        expect(answer?.status).to.be.oneOf(isBroken ? [request.status, 408] : [request.status]);
        if (answer === undefined) return;
        if (request.method === 'HEAD') {
          expect(answer.body).to.equal('');
          expect(sent).to.be.empty;
          return;
        }
        const command = commandIn(expectAnswer(answer));
        expect(command?.status).to.equal(request.status === 200 ? 'SUCCESSFUL' : undefined);
        expect(sent).to.have.length(request.status === 200 ? 1 : 0);
      }),
      250,
    );
  });
});
