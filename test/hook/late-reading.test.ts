import type { AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import type { Channel, HookEvent } from '#lib/index.js';
import { rawRequest } from '#harness/raw-http.js';
import { ANA, CODE, HOOK_SECRET, startScene, type Scene } from '#harness/scene.js';
import { until } from '#harness/until.js';

/** Connects, writes a request, perhaps ends the connection, and wakes this thread, which is blocked until then. */
const CALLER = `
const { workerData: { port, request, isGone, flag } } = require('node:worker_threads');
const socket = require('node:net').connect(port, '127.0.0.1');
socket.on('error', () => {});
socket.write(request, () => {
  if (isGone) socket.end();
  setTimeout(() => { Atomics.store(flag, 0, 1); Atomics.notify(flag, 0); }, 100);
});
setTimeout(() => process.exit(), 10_000).unref();
`;

describe('a process that was blocked when a call came', () => {
  let scene: Scene;
  let sent: number;
  afterEach(() => scene.close());

  const answered = (): HookEvent | undefined =>
    scene.events.find((event) => event.type === 'request.answered' && event.eventId === 'late');

  /** The call names no user, so that the hook makes no profile request. */
  const callWhileBusy = async (isGone: boolean): Promise<void> => {
    const sms: Channel = {
      send: () => {
        sent += 1;
        return Promise.resolve({ status: 'accepted', transactionId: 'T1' });
      },
    };
    scene = await startScene({ hook: { sandboxNumber: undefined, senders: undefined, channels: { sms } } });
    // A first call loads modules in further turns of the event loop, in which the hook would see the caller's end.
    await scene.call();
    sent = 0;
    const { port } = scene.server.address() as AddressInfo;
    const body = JSON.stringify({
      eventId: 'late',
      data: { messageProfile: { phoneNumber: ANA.phone, otpCode: CODE, deliveryChannel: 'SMS' } },
    });
    const request = rawRequest(
      '/okta/telephony',
      [
        ['Authorization', HOOK_SECRET],
        ['Content-Type', 'application/json'],
        ['Content-Length', String(Buffer.byteLength(body))],
      ],
      body,
    );
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(CALLER, { eval: true, workerData: { port, request, isGone, flag } });
    worker.unref();
    // This thread reads nothing until the caller has written, and perhaps disconnected.
    Atomics.wait(flag, 0, 0, 20_000);
    await until(() => answered() !== undefined);
    await worker.terminate();
  };

  it('sends nothing if the caller is gone by then, because Okta has sent the code itself', async () => {
    await callWhileBusy(true);
    expect(sent).to.equal(0);
    expect(answered()).to.include({ hasHungUp: true });
  });

  it('sends the code if the caller still waits', async () => {
    await callWhileBusy(false);
    expect(sent).to.equal(1);
  });
});
