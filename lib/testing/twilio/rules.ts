import { RuleList, type RecordedRequest } from '../server/faults.js';
import type { TwilioError } from './errors.js';

/** Refuses messages, calls and verifications with a code of Twilio's. */
export interface RefusalRule extends TwilioError {
  /** Which requests are refused. Default: every new message, call and verification. */
  readonly match?: ((request: RecordedRequest) => boolean) | undefined;
  /** How many. Default: all. */
  readonly times?: number | undefined;
}

/** Accepts messages, calls and verifications, and lets them fail afterwards. */
export interface LateFailureRule {
  readonly code: number;
  /** Default: `undelivered` for SMS, `failed` for WhatsApp and calls. Verify reports none: nothing arrives, that is all. */
  readonly status?: 'failed' | 'undelivered' | undefined;
  /** Which requests fail. Default: every new message, call and verification. */
  readonly match?: ((request: RecordedRequest) => boolean) | undefined;
  /** How many. Default: all. */
  readonly times?: number | undefined;
}

const EVERYTHING = (): boolean => true;

/** What a test has said of whatever is sent from now on, by any product. */
export class SendingRules {
  readonly refusals = new RuleList<RefusalRule>(EVERYTHING);
  readonly lateFailures = new RuleList<LateFailureRule>(EVERYTHING);

  clear(): void {
    this.refusals.clear();
    this.lateFailures.clear();
  }
}
