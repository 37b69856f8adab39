import { RuleList, type RecordedRequest } from '../server/faults.js';
import type { TwilioError } from './errors.js';

/** A rule that refuses messages, calls and verifications with a code of Twilio's. */
export interface RefusalRule extends TwilioError {
  /** Which requests are refused. Default: every new message, call and verification. */
  readonly match?: ((request: RecordedRequest) => boolean) | undefined;
  /** How many requests. Default: all. */
  readonly times?: number | undefined;
}

/** A rule that accepts messages, calls and verifications, which then fail. */
export interface LateFailureRule {
  readonly code: number;
  /** Default: `undelivered` for SMS, `failed` for WhatsApp and calls. Verify reports nothing, the code just does not arrive. */
  readonly status?: 'failed' | 'undelivered' | undefined;
  /** Which requests fail. Default: every new message, call and verification. */
  readonly match?: ((request: RecordedRequest) => boolean) | undefined;
  /** How many requests. Default: all. */
  readonly times?: number | undefined;
}

const EVERYTHING = (): boolean => true;

/** The rules of a test for messages, calls and verifications. */
export class SendingRules {
  readonly refusals = new RuleList<RefusalRule>(EVERYTHING);
  readonly lateFailures = new RuleList<LateFailureRule>(EVERYTHING);

  clear(): void {
    this.refusals.clear();
    this.lateFailures.clear();
  }
}
