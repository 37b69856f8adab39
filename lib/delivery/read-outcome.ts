import type { DeliveryReport, MoveOn, Outcome } from '../core/channel.js';
import { CAUSES, mechanicsOf } from '../core/refusal-cause.js';

/** Reads what custom channels answer. They may be written without types, so that any answer may come. */

/** The code of a refusal without a code. */
export const REFUSED = 'REFUSED';

/**
 * The outcome that a channel gave, complete and with its mechanics in place of a cause. A malformed one is
 * `unknown`, unless its status can be read.
 *
 * @param onMistake - called with what is wrong with a malformed outcome.
 */
export function readOutcome(given: unknown, onMistake: (mistake: string) => void): Outcome {
  const fields = Object(given) as Fields;
  const outcome = outcomeIn(fields, onMistake);
  const { providerRequestId } = fields;
  return typeof providerRequestId === 'string' ? { ...outcome, providerRequestId } : outcome;
}

function outcomeIn(fields: Fields, onMistake: (mistake: string) => void): Outcome {
  const { status, reason } = fields;
  switch (status) {
    case 'accepted': {
      const { transactionId } = fields;
      if (isText(transactionId)) return { status, transactionId: String(transactionId).slice(0, 200) };
      onMistake('its accepted outcome has no transactionId');
      // The message is accepted all the same: events then have the id of the event.
      return { status, transactionId: '' };
    }
    case 'refused': {
      const { code, cause, hasLeft } = fields;
      if (!isText(code) || typeof reason !== 'string')
        onMistake('its refused outcome has no code or no reason');
      else if (cause !== undefined && !CAUSES.includes(cause)) {
        onMistake(`its refused outcome has another cause than ${CAUSES.join(', ')}`);
      }
      return {
        status,
        code: isText(code) ? String(code) : REFUSED,
        reason: typeof reason === 'string' ? reason : 'Refused by the channel',
        ...readMechanics(fields),
        hasLeft: (hasLeft ?? mechanicsOf(cause).hasLeft) !== false,
        remedy: remedyOf(fields),
      };
    }
    case 'unknown':
      if (typeof reason === 'string') return { status, reason, remedy: remedyOf(fields) };
      onMistake('its unknown outcome has no reason');
      break;
    default:
      onMistake("its outcome has none of the statuses 'accepted', 'refused' and 'unknown'");
  }
  return {
    status: 'unknown',
    reason: typeof reason === 'string' ? reason : 'The channel gave no readable outcome',
  };
}

/**
 * Checks the answer of a custom channel to a look-up.
 *
 * @throws Error for a malformed answer.
 */
export function readReport(given: unknown): DeliveryReport {
  const fields = Object(given) as Fields;
  const { status, code, reason } = fields;
  if (status === 'delivered' || status === 'pending') return { status };
  if (status !== 'failed') throw new Error('its answer has no status that is known');
  return {
    status,
    code: isText(code) ? String(code) : 'FAILED',
    reason: typeof reason === 'string' ? reason : '',
    ...readMechanics(fields),
    remedy: remedyOf(fields),
  };
}

type Fields = Readonly<Record<string, unknown>>;

const remedyOf = ({ remedy }: Fields): string | undefined =>
  typeof remedy === 'string' ? remedy : undefined;

const isText = (value: unknown): value is string | number =>
  (typeof value === 'string' && value !== '') || typeof value === 'number';

/** What may follow: what the answer says itself, else what its cause means. */
function readMechanics({ cause, moveOn, isFraudBlock, isNotReached }: Fields): {
  readonly moveOn: MoveOn;
  readonly isFraudBlock: boolean;
  readonly isNotReached: boolean;
} {
  const byCause = mechanicsOf(cause);
  return {
    moveOn: isMoveOn(moveOn) ? moveOn : (byCause.moveOn ?? true),
    isFraudBlock: (isFraudBlock ?? byCause.isFraudBlock) === true,
    isNotReached: (isNotReached ?? byCause.isNotReached) === true,
  };
}

function isMoveOn(value: unknown): value is MoveOn {
  return typeof value === 'boolean' || value === 'other-channel' || value === 'other-provider';
}
