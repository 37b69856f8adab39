import { isObject, parseJson } from '../../../core/json.js';
import { MAX_ANSWER_BYTES } from '../../server/outbound.js';

/** What Okta does after a hook call. */
export interface OktaVerdict {
  /**
   * `sent`: the code counts as sent. `pending`: the same, unconfirmed. `failover`: Okta sends the code by a
   * provider of its own. `error`: the same, and the end user sees `errorSummary`.
   */
  readonly action: 'sent' | 'pending' | 'failover' | 'error';
  readonly reason: string;
  readonly errorSummary?: string | undefined;
}

const COMMAND_TYPE = 'com.okta.telephony.action';
const DEFAULT_SUMMARY = 'The callback service returned an error';

/** How Okta understands a hook's answer, from its table of responses. */
export function judgeAnswer(status: number, text: string): OktaVerdict {
  if (status !== 200) return failover(`HTTP status ${status}: only 200 is processed`);
  if (Buffer.byteLength(text) >= MAX_ANSWER_BYTES) return failover('the body is not smaller than 256 KB');
  const body = parseJson(text);
  if (!isObject(body)) return failover('the body is not a JSON object');

  const error = body['error'];
  if (error !== undefined && error !== null) {
    if (!isObject(error)) return failover('error is not an object');
    const summary = error['errorSummary'];
    const errorSummary = typeof summary === 'string' && summary !== '' ? summary : DEFAULT_SUMMARY;
    return { action: 'error', reason: 'the hook answered with an error object', errorSummary };
  }
  const commands = body['commands'];
  if (!Array.isArray(commands) || commands.length === 0) return failover('there are no commands');
  const command: unknown = commands[0];
  if (!isObject(command)) return failover('the command is not an object');
  if (command['type'] !== COMMAND_TYPE) return failover('the command is of another type');
  const values = command['value'];
  const value: unknown = Array.isArray(values) ? values[0] : undefined;
  if (!isObject(value)) return failover('the value of the command is not an array of objects');
  for (const name of ['provider', 'transactionId', 'transactionMetadata']) {
    const field = value[name];
    if (field !== undefined && field !== null && typeof field !== 'string') {
      return failover(`${name} is not a string`);
    }
  }
  switch (value['status']) {
    case 'SUCCESSFUL':
      return { action: 'sent', reason: 'SUCCESSFUL' };
    case 'PENDING':
      return { action: 'pending', reason: 'PENDING' };
    case 'FAILED':
      return failover('FAILED');
    default:
      return failover('the status is none that Okta knows');
  }
}

export function failover(reason: string): OktaVerdict {
  return { action: 'failover', reason };
}
