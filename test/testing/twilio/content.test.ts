import { expect } from 'chai';
import { startTwilioEmulator, type NewTemplate, type TwilioEmulator } from '#lib/testing/index.js';
import { until } from '#harness/until.js';
import { PHONE, restOf, type TwilioAnswer } from './rest.js';

const APPROVED = '+4930123456';
const HOUR_MS = 3600 * 1000;

describe('startTwilioEmulator: content templates', () => {
  let now = Date.UTC(2026, 2, 1);
  let twilio: TwilioEmulator;
  const rest = restOf(() => twilio);
  const whatsApp = (form: Record<string, string>): Promise<TwilioAnswer> =>
    rest.message({ To: `whatsapp:${PHONE}`, From: `whatsapp:${APPROVED}`, ...form });
  const withTemplate = (sid: string, variables: Record<string, string> = { '1': '204981' }) =>
    whatsApp({ ContentSid: sid, ContentVariables: JSON.stringify(variables) });
  /** The error code or the status with which the newest message ended. */
  const finalStatus = async (): Promise<number | string | undefined> => {
    const message = twilio.messages.at(-1);
    await until(() => message?.status === 'failed' || message?.status === 'delivered');
    return message?.errorCode ?? message?.status;
  };

  beforeEach(async () => {
    twilio = await startTwilioEmulator({
      clock: () => now,
      callbackDelayMs: 1,
      senders: [`whatsapp:${APPROVED}`],
    });
  });
  afterEach(() => twilio.close());

  it('replaces a template with a new one of the same SID', async () => {
    const { sid } = twilio.addTemplate({});
    twilio.addTemplate({ sid, status: 'rejected', category: 'MARKETING', rejectionReason: 'wrong category' });
    expect(twilio.templates).to.have.length(1);
    const { body } = await rest.get(`/v1/Content/${sid}/ApprovalRequests`);
    expect(body['whatsapp']).to.include({
      status: 'rejected',
      category: 'MARKETING',
      rejection_reason: 'wrong category',
    });
  });

  describe('a message with a template', () => {
    it('contains the text of the template, with its button', async () => {
      const { sid } = twilio.addTemplate({
        types: {
          'whatsapp/authentication': {
            code_expiration_minutes: 5,
            actions: [{ type: 'COPY_CODE', copy_code_text: 'Copiar' }],
          },
        },
      });
      const { body } = await withTemplate(sid);
      expect(twilio.inbox(PHONE)[0]).to.deep.include({
        text: '204981 is your verification code. For your security, do not share this code. This code expires in 5 minutes.',
        button: { text: 'Copiar', copies: '204981' },
      });
      expect(body['body']).to.equal(twilio.inbox(PHONE)[0]?.text);
      expect(await finalStatus()).to.equal('delivered');
    });

    it('contains neither advice nor button if the template has none, and fills the variables of a text template', async () => {
      const bare = twilio.addTemplate({
        types: { 'whatsapp/authentication': { add_security_recommendation: false, actions: 'none' } },
      });
      await withTemplate(bare.sid);
      const text = twilio.addTemplate({
        types: { 'twilio/text': { body: 'Hi {{name}}, {{ 1 }}{{other}}' } },
        variables: { '1': 'one', name: 'you' },
      });
      await withTemplate(text.sid, { '1': '204981' });
      const odd = twilio.addTemplate({ types: {} });
      await withTemplate(odd.sid);
      expect(twilio.inbox(PHONE).map((item) => item.text)).to.deep.equal([
        '204981 is your verification code.',
        'Hi you, 204981',
        '',
      ]);
      expect(twilio.inbox(PHONE)[1]).to.not.have.property('button');
    });

    it('contains the sample value of a missing variable, as with Twilio', async () => {
      const { sid } = twilio.addTemplate({});
      await whatsApp({ ContentSid: sid });
      expect(twilio.inbox(PHONE)[0]?.text).to.match(/^123456 is/);
    });

    it('is refused with 21655 for an unknown template as soon as the account has any template', async () => {
      const unknown = `HX${'0'.repeat(32)}`;
      expect((await withTemplate(unknown)).status).to.equal(201);
      const { sid } = twilio.addTemplate({});
      expect((await withTemplate(unknown)).body['code']).to.equal(21655);
      expect((await withTemplate(sid)).status).to.equal(201);
      twilio.joinSandbox(PHONE);
      const sandbox = { From: `whatsapp:${twilio.sandboxNumber}`, ContentSid: twilio.sandboxContentSid };
      expect((await whatsApp(sandbox)).status).to.equal(201);
      expect(await finalStatus()).to.equal('delivered');
    });

    it('is refused with 21654 if it has variables but no template', async () => {
      expect((await rest.message({ ContentVariables: '{}' })).body['code']).to.equal(21654);
    });

    it("fails after its acceptance with WhatsApp's error code for a template or variable that it rejects", async () => {
      const cases: [NewTemplate, Record<string, string>, number | string][] = [
        [{ status: 'unsubmitted' }, { '1': '204981' }, 63016],
        [{ status: 'pending' }, { '1': '204981' }, 63016],
        [{ status: 'received' }, { '1': '204981' }, 63016],
        [{ status: 'rejected' }, { '1': '204981' }, 63040],
        [{ status: 'paused' }, { '1': '204981' }, 63041],
        [{ status: 'disabled' }, { '1': '204981' }, 63042],
        [{}, { '1': '204981', '2': 'more' }, 63028],
        [{}, { '1': '204981' }, 'delivered'],
      ];
      for (const [template, variables, end] of cases) {
        const { sid } = twilio.addTemplate(template);
        const before = twilio.inbox(PHONE).length;
        expect((await withTemplate(sid, variables)).status).to.equal(201);
        expect(await finalStatus(), JSON.stringify([template, variables])).to.equal(end);
        expect(twilio.inbox(PHONE).length - before).to.equal(end === 'delivered' ? 1 : 0);
      }
    });

    it('needs no approved template for 24 hours after the user writes, except for a code', async () => {
      const text = twilio.addTemplate({ status: 'pending', types: { 'twilio/text': { body: 'Hi {{1}}' } } });
      const code = twilio.addTemplate({ status: 'pending' });
      await twilio.receive({ from: PHONE, to: APPROVED, channel: 'whatsapp', body: 'hello' });
      await withTemplate(text.sid);
      expect(await finalStatus()).to.equal('delivered');
      await whatsApp({ Body: 'free text' });
      expect(await finalStatus()).to.equal('delivered');
      await withTemplate(code.sid);
      expect(await finalStatus()).to.equal(63016);
      now += 24 * HOUR_MS + 1;
      await withTemplate(text.sid);
      expect(await finalStatus()).to.equal(63016);
      await whatsApp({ Body: 'free text' });
      expect(await finalStatus()).to.equal(63016);
    });
  });
});
