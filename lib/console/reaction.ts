import { asList, fieldOf, isObject, textFieldOf } from '../core/json.js';

/**
 * Explains what Okta does with a hook's answer, for `preview`, `doctor` and the console's tester.
 */

/** Okta's reaction to an answer. */
export interface Reaction {
  /**
   * `sent`: Okta takes the code as sent. `pending`: Okta takes it as possibly sent. `failover`: Okta ignores the hook and sends
   * the code itself. `error`: as `failover`, and the end user may see a sentence of the answer.
   */
  readonly action: 'sent' | 'pending' | 'failover' | 'error';
  /** The reaction and its reason, for an administrator. */
  readonly text: string;
  /** The sentence that the end user may see. */
  readonly shown?: string | undefined;
}

const COMMAND_TYPE = 'com.okta.telephony.action';
/** Okta does not read bodies of this size or larger. */
const MAX_BYTES = 256 * 1024;
/** Okta's sentence if the error has no `errorSummary`. */
const OKTAS_SENTENCE = 'The callback service returned an error';

/**
 * The reaction by the table in the telephony hook's reference: Okta ignores the hook after another status than 200, and after
 * a body that it does not know.
 *
 * @param answer.body - parsed JSON, or the text if it is not JSON.
 * @param answer.bytes - the size of the body. Default 0.
 */
export function reactionTo(answer: {
  readonly httpStatus: number;
  readonly body: unknown;
  readonly bytes?: number | undefined;
}): Reaction {
  const { httpStatus, body, bytes = 0 } = answer;
  if (httpStatus !== 200) return goesOn(`the answer has status ${httpStatus}, and only 200 is read`);
  if (bytes >= MAX_BYTES) return goesOn('the answer is not smaller than 256 KB');
  if (!isObject(body)) return goesOn('the answer is no JSON object');
  const error = fieldOf(body, 'error');
  if (error !== undefined && error !== null) return reactionToError(error);
  const command = asList(fieldOf(body, 'commands'))[0];
  if (fieldOf(command, 'type') !== COMMAND_TYPE) {
    return goesOn(`it has no error and no command, the first of which has to be a ${COMMAND_TYPE}`);
  }
  const value = asList(fieldOf(command, 'value'))[0];
  for (const name of ['provider', 'transactionId', 'transactionMetadata']) {
    const field = fieldOf(value, name);
    if (field !== undefined && field !== null && typeof field !== 'string')
      return goesOn(`${name} is no text`);
  }
  switch (fieldOf(value, 'status')) {
    case 'SUCCESSFUL':
      return { action: 'sent', text: 'Okta takes the code as sent, and waits for the user to type it.' };
    case 'PENDING':
      return {
        action: 'pending',
        text: 'Okta takes the code as on its way, sends none itself, and waits for the user to type it.',
      };
    case 'FAILED':
      return goesOn('the hook says FAILED');
    default:
      return goesOn('the status is none that Okta knows');
  }
}

/** The reaction to no answer: no connection, or a time-out. */
export function reactionToSilence(why = 'no answer came within its three seconds'): Reaction {
  return goesOn(why);
}

function reactionToError(error: unknown): Reaction {
  if (!isObject(error)) return goesOn('error is no object');
  const shown = textFieldOf(error, 'errorSummary') ?? OKTAS_SENTENCE;
  return {
    action: 'error',
    text: 'Okta sends the code by its own provider, where the org has one; the System Log has the causes, and the user may see the sentence.',
    shown,
  };
}

function goesOn(why: string): Reaction {
  return {
    action: 'failover',
    text: `Okta goes on without the hook and sends the code by its own provider, where the org has one: ${why}.`,
  };
}
