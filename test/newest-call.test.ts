import { expect } from 'chai';
import type { Channel, Outcome } from '../lib/index.js';
import { ANA, CODE, commandOf, startScene, type Scene } from './harness/scene.js';
import { defer, until } from './harness/until.js';
import { mustNotShow } from './harness/witness.js';

const NEWER = '771204';

describe('two calls of one user at once', () => {
  let scene: Scene;
  /** What left, in order. */
  let left: string[];
  let first: ReturnType<typeof defer<Outcome>>;
  let lines: number;

  const start = async (): Promise<void> => {
    left = [];
    lines = 0;
    first = defer<Outcome>();
    mustNotShow(NEWER);
    const line: Channel = {
      send: ({ request }) => {
        lines += 1;
        if (lines === 1) return first.promise;
        left.push(`line ${request.otpCode}`);
        return Promise.resolve({ status: 'accepted', transactionId: `L${lines}` });
      },
    };
    const sms: Channel = {
      send: ({ request }) => {
        left.push(`sms ${request.otpCode}`);
        return Promise.resolve({ status: 'accepted', transactionId: 'S1' });
      },
    };
    scene = await startScene({
      hook: { chooseChannels: () => ['line'], channels: { line, sms }, lateFailover: false },
    });
  };
  afterEach(() => scene.close());

  it('send nothing more of the older code once the newer one was asked for, and Okta sends it neither', async () => {
    await start();
    const older = scene.call({ eventId: 'older' });
    await until(() => lines === 1);
    const newer = await scene.call({ eventId: 'newer', otpCode: NEWER });
    expect(newer.okta.action).to.equal('sent');
    first.resolve({ status: 'refused', code: 'GONE', reason: 'gone' });
    const answer = await older;
    expect(left).to.deep.equal([`line ${NEWER}`]);
    expect(answer.okta.action).to.equal('pending');
    expect(commandOf(answer)).to.include({ status: 'PENDING', provider: 'GUARD' });
    expect(commandOf(answer)?.['transactionMetadata']).to.include('blocked=OVERTAKEN');
    expect(scene.events.filter(({ type }) => type === 'request.answered').at(-1)).to.include({
      code: 'OVERTAKEN',
    });
  });

  for (const [what, other] of [
    ['of another user', { userId: '00uother0000000001d7', login: undefined }],
    ['of the preview page', { preview: true }],
  ] as const) {
    it(`go on where the newer one is ${what}`, async () => {
      await start();
      const older = scene.call({ eventId: 'older' });
      await until(() => lines === 1);
      await scene.call({ eventId: 'newer', otpCode: NEWER, ...other });
      first.resolve({ status: 'refused', code: 'GONE', reason: 'gone' });
      expect((await older).okta.action).to.equal('sent');
      expect(left).to.deep.equal([`line ${NEWER}`, `sms ${CODE}`]);
    });
  }

  it('go on where the newer one had ended before', async () => {
    await start();
    first.resolve({ status: 'accepted', transactionId: 'L1' });
    await scene.call({ eventId: 'before', otpCode: NEWER });
    const refusing = await scene.call({ eventId: 'after', userId: ANA.id });
    expect(refusing.okta.action).to.equal('sent');
  });
});
