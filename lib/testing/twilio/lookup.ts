import { okReply, type Answer } from '../server/reply.js';
import { queryOf } from '../server/request.js';
import type { TwilioContext } from './context.js';
import { notFound } from './errors.js';
import { isE164 } from './formats.js';

/** What Lookup says of a number, for `setRisk`. */
export interface NumberRisk {
  /** 0 to 100; `null` if Lookup does not know it. Default: 0. */
  readonly score?: number | null | undefined;
  /** Whether Twilio has blocked the number. Default: `false`. */
  readonly isBlocked?: boolean | undefined;
  /** Lookup's code if it could not find the risk. Default: none. */
  readonly errorCode?: number | undefined;
}

/** Lookup: facts about phone numbers. */
export class TwilioLookup {
  readonly #context: TwilioContext;
  readonly #risks = new Map<string, NumberRisk>();

  constructor(context: TwilioContext) {
    this.#context = context;
  }

  setRisk(number: string, risk: NumberRisk): void {
    this.#risks.set(number, risk);
  }

  readonly show: Answer = (request, { number = '' }) => {
    if (!isE164(number)) return notFound(request);
    const fields = (queryOf(request).get('Fields') ?? '').split(',');
    return okReply({
      call_forwarding: null,
      caller_name: null,
      calling_country_code: null,
      country_code: null,
      identity_match: null,
      line_status: null,
      line_type_intelligence: null,
      national_format: null,
      phone_number: number,
      reassigned_number: null,
      sim_swap: null,
      sms_pumping_risk: fields.includes('sms_pumping_risk') ? this.#riskResource(number) : null,
      url: `${this.#context.server.origin}/v2/PhoneNumbers/${encodeURIComponent(number)}`,
      valid: true,
      validation_errors: [],
    });
  };

  #riskResource(number: string): object {
    const { score = 0, isBlocked = false, errorCode } = this.#risks.get(number) ?? {};
    return {
      carrier_risk_category: score === null ? null : score > 60 ? 'high' : 'low',
      error_code: errorCode ?? null,
      number_blocked: isBlocked,
      number_blocked_date: null,
      number_blocked_last_3_months: isBlocked,
      sms_pumping_risk_score: score,
    };
  }
}
