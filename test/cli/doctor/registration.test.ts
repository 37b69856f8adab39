import { expect } from 'chai';
import { lineOf, openWard, WITHOUT, type Line, type Ward } from './scene.js';

const TOLL_FREE = '+18885550100';

describe('doctor and a toll-free number', () => {
  let ward: Ward;
  before(async () => {
    ward = await openWard({ setups: [], twilio: { senders: [TOLL_FREE] } });
  });
  after(() => ward.close());
  const look = async (env: Record<string, string>): Promise<Line> =>
    lineOf(await ward.lines({ ...WITHOUT.okta, ...WITHOUT.hook, ...env }), 'twilio.registration');
  const registration = (countries: string): Promise<Line> =>
    look({ TWILIO_SMS_FROM: TOLL_FREE, GUARD_COUNTRIES: countries });

  it('fails for the United States and Canada until Twilio has verified it', async () => {
    const none = await registration('US,GB,CA');
    expect(none).to.include({ status: 'fail' });
    expect(none.message).to.match(
      /^CA, US: texts of a toll-free number that is not verified are blocked with error 30032 /,
    );
    ward.scene.twilio.setTollfreeVerification(TOLL_FREE, 'IN_REVIEW');
    expect(await registration('CA')).to.include({ status: 'fail' });
    ward.scene.twilio.setTollfreeVerification(TOLL_FREE, 'TWILIO_APPROVED');
    expect(await registration('US,CA')).to.include({ status: 'ok' });
  });

  it('has nothing to say without countries', async () => {
    for (const countries of ['', '*']) {
      const found = await registration(countries);
      expect(found).to.include({ status: 'ok' });
      expect(found.message).to.include('names no countries');
    }
  });

  it('checks a sender only for the countries whose list of providers has it', async () => {
    const found = async (lists: string): Promise<string> => {
      const { status, message } = await look({
        TWILIO_SMS_FROM: 'ACME',
        VONAGE_SMS_FROM: '+14155550100',
        GUARD_COUNTRIES: 'US,GB',
        SMS_PROVIDERS: lists,
      });
      return `${status}: ${message.split(' (')[0] ?? ''}`;
    };
    const refused = 'fail: US: senders of letters do not work';
    expect(await found('twilio/GB:vonage')).to.equal(refused);
    expect(await found('vonage/US:vonage,twilio')).to.equal(refused);
    expect(await found('twilio/US:vonage')).to.match(/^ok: No rule/);
    expect(await found('vonage')).to.match(/^ok: GUARD_COUNTRIES names no countries of this sender/);
  });
});
