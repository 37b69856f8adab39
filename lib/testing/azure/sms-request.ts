import { asList, asObject, isObject, textFieldOf } from '../../core/json.js';

/** A request to send an SMS to one recipient. */
export interface SmsRequest {
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly tag: string | undefined;
  readonly repeatability: { readonly id: string; readonly firstSent: string } | undefined;
}

const LONGEST_TEXT = 2048;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const RFC_1123 = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** Reads a request as strictly as the specification of the API; a sentence if it is wrong. */
export function readSms(body: unknown): SmsRequest | string {
  if (!isObject(body)) return 'The body is not an object.';
  const { from, smsRecipients, message, smsSendOptions, ...stray } = body;
  const [unknown] = Object.keys(stray);
  if (unknown !== undefined) return `The field ${unknown} is not known.`;
  if (typeof from !== 'string' || from === '') return 'The field from is required.';
  if (typeof message !== 'string' || message === '' || message.length > LONGEST_TEXT) {
    return 'The field message must have 1 to 2048 characters.';
  }
  const options = asObject(smsSendOptions);
  if (typeof options['enableDeliveryReport'] !== 'boolean')
    return 'The field enableDeliveryReport is required.';
  const recipients = asList(smsRecipients);
  const [recipient] = recipients;
  // Azure takes up to 100; a code goes to one.
  if (recipients.length !== 1 || !isObject(recipient))
    return 'The field smsRecipients must have one recipient.';
  const to = textFieldOf(recipient, 'to');
  if (to === undefined || !/^\+[1-9]\d{6,14}$/.test(to))
    return 'The field to must be a number in E.164 form.';
  const repeatability = repeatabilityOf(recipient);
  if (typeof repeatability === 'string') return repeatability;
  return { from, to, text: message, tag: textFieldOf(options, 'tag'), repeatability };
}

function repeatabilityOf(recipient: object): SmsRequest['repeatability'] | string {
  const { repeatabilityRequestId: id, repeatabilityFirstSent: firstSent } = asObject(recipient);
  if (id === undefined && firstSent === undefined) return undefined;
  if (typeof id !== 'string' || !UUID.test(id)) return 'The field repeatabilityRequestId must be a UUID.';
  if (typeof firstSent !== 'string' || !RFC_1123.test(firstSent)) {
    return 'The field repeatabilityFirstSent must be a date in the form of RFC 1123.';
  }
  return { id, firstSent };
}
