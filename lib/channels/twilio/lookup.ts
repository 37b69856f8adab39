import { ExpiringCache } from '../../core/caches.js';
import { ProviderError } from '../../core/errors.js';
import { fieldOf } from '../../core/json.js';
import { digestOf } from '../../core/masking.js';
import { integer, lazyRules, optionsOf, readOptionsBy } from '../../core/option-rules.js';
import type { Assess, Assessment } from '../../core/option-types.js';
import { shortRequestType } from '../../core/request-types.js';
import { steadyMs } from '../../core/time.js';
import { readObject } from '../../http/request.js';
import { requireTwilio, type TwilioPort } from './client.js';
import { describeRefusal, readCode } from './outcome.js';

/** The options of `twilioLookup`. */
export interface TwilioLookupOptions {
  /** 0 to 100. A number with a higher risk of SMS pumping is blocked, and so is one that Twilio has blocked. */
  readonly maxScore: number;
  /**
   * How long the process knows the risk of a number, seconds: 0 to 31,536,000. A blocked number is looked up again after a day at the
   * latest. Default 7,776,000, which is 90 days.
   */
  readonly cacheSeconds?: number | undefined;
}

const RULES = lazyRules(() =>
  optionsOf<TwilioLookupOptions>('an object', {
    maxScore: integer('a score', 0, 100).required(),
    cacheSeconds: integer('seconds', 0, 31_536_000).default(7_776_000),
  }),
);

/** A lookup goes on after its code, so that the next code of the number knows the risk. Milliseconds. */
const LOOKUP_MS = 5000;
const ONE_DAY_MS = 86_400_000;
/** Numbers whose risk is known. */
const MAX_NUMBERS = 50_000;

const lookups = new WeakSet<object>();

/** Whether `twilioLookup` made a function, which then needs `credentials.twilio`. */
export const isTwilioLookup = (assess: unknown): boolean =>
  typeof assess === 'function' && lookups.has(assess);

/**
 * A function for `guard.assess`: blocks numbers that are enrolled (`pre-enrollment`) and that Twilio Lookup takes for a risk of SMS
 * pumping. Other codes pass at once. Needs `credentials.twilio`. Twilio bills each lookup.
 *
 * @throws ConfigurationError that names every option that is wrong.
 */
export function twilioLookup(options: TwilioLookupOptions): Assess {
  const { maxScore, cacheSeconds = 0 } = readOptionsBy(RULES(), options, 'twilioLookup');
  const lifeMs = cacheSeconds * 1000;
  const known = new ExpiringCache<Promise<Assessment>>(MAX_NUMBERS);
  const lookUp = (number: string, twilio: TwilioPort): Promise<Assessment> => {
    const key = digestOf(number);
    const found = known.get(key, steadyMs());
    if (found !== undefined) return found.value;
    const lookup = readRisk(number, maxScore, twilio);
    known.set(key, lookup, steadyMs(), lifeMs);
    lookup.then(
      ({ block }) => {
        if (block) known.set(key, lookup, steadyMs(), Math.min(lifeMs, ONE_DAY_MS));
      },
      () => {
        known.delete(key);
      },
    );
    return lookup;
  };
  const assess: Assess = ({ requestType = '', phoneNumber }, { twilio }) => {
    if (shortRequestType(requestType) !== 'pre-enrollment') return undefined;
    return lookUp(phoneNumber, requireTwilio(twilio, 'twilioLookup'));
  };
  lookups.add(assess);
  return assess;
}

/** @throws ProviderError `PROVIDER_UNREACHABLE`, `PROVIDER_REFUSED` or `PROVIDER_UNREADABLE`. */
async function readRisk(number: string, maxScore: number, twilio: TwilioPort): Promise<Assessment> {
  const fields = 'sms_pumping_risk';
  const result = await twilio.read(
    (client) => client.lookups.v2.phoneNumbers(number).fetch({ fields }),
    LOOKUP_MS,
  );
  if (result.kind !== 'answered')
    throw new ProviderError('PROVIDER_UNREACHABLE', `No answer from Twilio Lookup (${result.reason})`);
  const body = readObject(result);
  if (result.status < 200 || result.status > 299) {
    const { reason, remedy } = describeRefusal(readCode(body['code']), result.status);
    throw new ProviderError('PROVIDER_REFUSED', `Twilio Lookup: ${reason}`, { remedy });
  }
  const risk = body[fields];
  if (fieldOf(risk, 'number_blocked') === true)
    return { block: true, reason: 'Twilio has blocked the number' };
  const score = fieldOf(risk, 'sms_pumping_risk_score');
  if (typeof score !== 'number')
    throw new ProviderError('PROVIDER_UNREADABLE', 'Twilio Lookup gave no score');
  return { block: score > maxScore, reason: `Twilio Lookup gives the number a risk of ${score} of 100` };
}
