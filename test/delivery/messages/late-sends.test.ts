import { expect } from 'chai';
import type { DeliveryFailure } from '#lib/core/channel.js';
import type { ReadyChannel, Delivery } from '#lib/delivery/attempt.js';
import {
  dropSend,
  endOf,
  startLateSend,
  statusOf,
  type LateSend,
} from '#lib/delivery/messages/late-sends.js';
import type { Receipt, PlanStep } from '#lib/delivery/records.js';
import { OTP_CODE, PHONE_NUMBER } from '../../channels/twilio/scripted-api.js';
import { mustNotShow, witness } from '#harness/witness.js';
import { fakeClock } from '#harness/fake-clock.js';
import { steadyMs } from '#lib/core/time.js';
import type sinon from 'sinon';
import { CODE_LIFE_MS, makeReceipt, NOW } from './receipts.js';
import { readyChannel } from '../sends.js';

const FAILED: DeliveryFailure = { status: 'failed', code: '63024', reason: 'No' };
const OTHER_NUMBER = '+447700900124';

const ready = (name: string, provider: string): ReadyChannel => readyChannel(name, { provider });

const CHANNELS = new Map([
  ['whatsapp', [ready('whatsapp', 'TWILIO')]],
  ['line', [ready('line', 'LINE')]],
  ['sms', [ready('sms', 'TWILIO'), ready('sms', 'ACME')]],
]);
const step = (channel: string, provider = 0, to = PHONE_NUMBER): PlanStep => ({ channel, provider, to });

describe('a late send', () => {
  const started: LateSend[] = [];
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = fakeClock(['performance']);
  });
  afterEach(() => {
    for (const { budget } of started.splice(0)) budget.close();
    clock.restore();
  });
  const start = (
    failure: Partial<DeliveryFailure> = {},
    receipt: Partial<Receipt> = {},
    parts: { leftMs?: number; on?: (channel: string) => boolean } = {},
  ): LateSend => {
    const expiresAtMs = steadyMs() + (parts.leftMs ?? CODE_LIFE_MS);
    const send = startLateSend(makeReceipt({ expiresAtMs, ...receipt }), { ...FAILED, ...failure }, 'SM1', {
      channels: CHANNELS,
      channelsOn: (names) => names.filter(parts.on ?? (() => true)),
      deadlineMs: 2200,
      clock: () => NOW,
    });
    started.push(send);
    return send;
  };
  const untried = [step('line'), step('sms', 0), step('sms', 1)];
  const stepsOf = ({ code }: LateSend): string[] =>
    code.untried.map(({ channel, provider }) => `${channel} ${provider}`);

  it("has the receipt's request, with expiresAt", () => {
    const { code, request, dropped } = start();
    expect(request.expiresAt.getTime()).to.equal(NOW + CODE_LIFE_MS);
    expect(code.request.otpCode).to.equal(OTP_CODE);
    expect(dropped).to.equal(undefined);
  });

  it('goes by no other provider of the same channel after moveOn other-channel', () => {
    const sent = { sentBy: step('sms', 0), untried: [step('sms', 1), step('line')] };
    expect(stepsOf(start({ moveOn: 'other-channel' }, sent))).to.deep.equal(['line 0']);
  });

  it('goes on after moveOn false if the next steps have another number', () => {
    const sent = { sentBy: step('whatsapp', 0, OTHER_NUMBER), untried };
    expect(stepsOf(start({ moveOn: false }, sent))).to.deep.equal(['line 0', 'sms 0', 'sms 1']);
  });

  it('goes by no channel that is off or no longer configured', () => {
    expect(stepsOf(start({}, { untried }, { on: (channel) => channel !== 'sms' }))).to.deep.equal(['line 0']);
    const gone = [step('pigeon'), step('sms', 2), step('sms', 1)];
    expect(stepsOf(start({}, { untried: gone }))).to.deep.equal(['sms 1']);
  });

  for (const [code, why, send] of [
    ['FRAUD_BLOCK', 'a fraud filter failed the message', () => start({ isFraudBlock: true })],
    ['CODE_EXPIRED', 'the code has no time left', () => start({}, {}, { leftMs: 0 })],
    ['NO_CHANNEL_LEFT', 'no channel may follow the failure', () => start({ moveOn: false })],
    ['NO_CHANNEL_LEFT', 'the rollout has every channel off', () => start({}, {}, { on: () => false })],
  ] as const) {
    it(`is dropped from the start with ${code}, and its end has a reason, if ${why}`, () => {
      const dropped = send();
      expect(dropped.dropped).to.equal(code);
      expect(endOf(dropped, {})).to.include({ type: 'failover.ended', outcome: 'dropped', code });
      expect(endOf(dropped, {})).to.have.property('reason').that.is.not.empty;
    });
  }

  it('lets nothing leave once it is dropped, and keeps the first code', () => {
    const send = start();
    dropSend(send, 'SUPERSEDED');
    dropSend(send, 'DELIVERED');
    expect(send.budget).to.include({ isOver: true, hasHungUp: true });
    expect(send.budget.leaveSignal.aborted).to.equal(true);
    expect(endOf(send, {})).to.include({ outcome: 'dropped', code: 'SUPERSEDED' });
  });

  describe('when it has ended', () => {
    const attempt = { channel: 'sms', provider: 'TWILIO', durationMs: 3 } as const;
    const delivery = (
      decidedBy: Delivery['decidedBy'],
      status: Delivery['status'] = decidedBy?.outcome ?? 'refused',
    ): Delivery => ({
      status,
      decidedBy,
      attempts: decidedBy === undefined ? [] : [decidedBy],
      isFraudBlock: false,
    });

    it('has an unknown outcome even if it was dropped, but is dropped if it was refused', () => {
      const send = start();
      dropSend(send, 'DELIVERED');
      const unknown = { ...attempt, outcome: 'unknown', reason: 'No answer' } as const;
      expect(endOf(send, { delivery: delivery(unknown) })).to.include({
        outcome: 'unknown',
        channel: 'sms',
      });
      const refused = { ...attempt, outcome: 'refused', code: 'UNREACHABLE', reason: 'No' } as const;
      expect(endOf(send, { delivery: delivery(refused) })).to.include({
        outcome: 'dropped',
        code: 'DELIVERED',
      });
    });

    it('has the remedies of the first failure and of the last one', () => {
      const refused = {
        ...attempt,
        outcome: 'refused',
        code: '21610',
        reason: 'Stopped',
        remedy: 'Ask',
      } as const;
      const end = endOf(start({ remedy: 'Join anew' }), { delivery: delivery(refused) });
      expect(end).to.include({ code: '21610', reason: 'Stopped', remedy: 'Ask' });
      expect(end).to.have.nested.property('cause.remedy', 'Join anew');
    });

    it('is refused with DEADLINE without an attempt, with INTERNAL_ERROR after a defect', () => {
      expect(endOf(start(), { delivery: delivery(undefined) })).to.include({
        outcome: 'refused',
        code: 'DEADLINE',
        channel: undefined,
      });
      expect(endOf(start(), { defect: 'broken' })).to.include({
        outcome: 'refused',
        code: 'INTERNAL_ERROR',
        reason: 'broken',
      });
    });

    for (const [what, code] of [
      ['the one-time code', OTP_CODE],
      ['an address', 'to ada@example.com'],
      ['the number', PHONE_NUMBER],
    ] as const) {
      it(`replaces a failure code that contains ${what} by FAILED`, () => {
        expect(endOf(start({ code }), {})).to.have.nested.property('cause.code', 'FAILED');
      });
    }

    it('has the reason and the remedy of the failure, without personal data', () => {
      mustNotShow(OTP_CODE, PHONE_NUMBER);
      const end = endOf(start({ reason: `No ${OTP_CODE} for Ada`, remedy: `Call ${PHONE_NUMBER}` }), {});
      witness(end);
      expect(end).to.deep.include({
        cause: { code: '63024', reason: 'No … for …', remedy: 'Call …' },
        remedy: undefined,
      });
    });

    it('has the code of the failure as a token', () => {
      expect(endOf(start({ code: 'no such\nphone' }), {})).to.have.nested.property(
        'cause.code',
        'no_such_phone',
      );
    });
  });

  it('reports no id of its channel that has the other number which the message went to', () => {
    mustNotShow(OTHER_NUMBER.slice(1));
    const receipt = makeReceipt({ sentBy: step('whatsapp', 0, OTHER_NUMBER) });
    const status = statusOf(`to-${OTHER_NUMBER.slice(1)}`, { status: 'delivered' }, receipt);
    witness(status);
    expect(status).to.include({ type: 'message.reported', report: 'delivered' });
  });
});
