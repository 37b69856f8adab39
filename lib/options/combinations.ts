import { VOICE } from '../core/channel.js';
import { isObject } from '../core/json.js';
import { withoutUndefined } from '../core/option-rules.js';
import { channelProblems } from './channels.js';

/** The rules that joi does not express: options that need or exclude each other, and objects of the user's own classes. */

/** The problems that no option has alone. The options may still have any shape. */
export function combinationProblems(options: unknown): readonly string[] {
  if (typeof options !== 'object' || options === null || isList(options)) return [];
  const problems: string[] = [];
  const has = (...path: string[]): boolean => at(options, ...path) !== undefined;
  const senders = ['sms', 'voice', 'whatsapp'].filter((channel) => has('senders', channel));
  const channels = at(options, 'channels');
  const custom = isObject(channels) ? Object.keys(withoutUndefined(channels)) : [];
  // Another shape breaks a rule of its own.
  const isReadable = ['senders', 'channels'].every((name) => !has(name) || isObject(at(options, name)));
  if (isReadable && senders.length === 0 && custom.length === 0 && !has('sandboxNumber')) {
    problems.push(
      'senders: there is no sender at all; give senders.sms, sandboxNumber, or channels of your own',
    );
  }
  if (has('sandboxNumber') && has('senders', 'whatsapp')) {
    problems.push(
      'sandboxNumber and senders.whatsapp are two senders of WhatsApp; leave out sandboxNumber in production',
    );
  }
  const needTwilio = [
    ...senders.map((channel) => `senders.${channel}`),
    ...['sandboxNumber', 'publicUrl', 'inbound'].filter((option) => has(option)),
  ];
  if (needTwilio.length > 0 && isObject(at(options, 'credentials')) && !has('credentials', 'twilio')) {
    problems.push(
      `credentials.twilio is missing: ${needTwilio.join(', ')} ${needTwilio.length === 1 ? 'needs' : 'need'} it; give it, or leave out what needs it`,
    );
  }
  if (has('publicUrl') && has('credentials', 'twilio') && !has('credentials', 'twilio', 'authToken')) {
    problems.push(
      "publicUrl needs credentials.twilio.authToken: Twilio signs its callbacks with the account's auth token",
    );
  }
  if (has('inbound') && !has('publicUrl')) {
    problems.push(
      'inbound needs publicUrl: what users write comes to publicUrl + /twilio/inbound, signed by Twilio',
    );
  }
  for (const [name, given] of isObject(channels) ? Object.entries(channels) : []) {
    const list: readonly unknown[] = isList(given) ? given : [given];
    for (const [index, channel] of list.entries()) {
      const path = `channels.${name}${isList(given) ? `[${index}]` : ''}`;
      if (isObject(channel)) problems.push(...channelProblems(path, channel));
    }
  }
  const textChannels = new Set([...senders, ...custom, 'whatsapp', 'sms']);
  const afterSeconds = at(options, 'lateFailover', 'afterSeconds');
  for (const channel of isObject(afterSeconds) ? Object.keys(withoutUndefined(afterSeconds)) : []) {
    if (!textChannels.has(channel)) {
      problems.push(
        `lateFailover.afterSeconds.${channel} is no channel that is configured; add it to channels or senders`,
      );
    }
  }
  const optInChannels = at(options, 'optInChannels');
  if (isList(optInChannels)) {
    for (const [index, channel] of optInChannels.entries()) {
      if (typeof channel === 'string' && !['', VOICE].includes(channel) && !textChannels.has(channel)) {
        problems.push(
          `optInChannels[${index}] is no channel that is configured; add it to channels or senders`,
        );
      }
    }
  }
  const rollout = at(options, 'rollout');
  if (isReadable && isObject(rollout)) {
    const allChannels = new Set([...textChannels, VOICE]);
    for (const channel of Object.keys(withoutUndefined(rollout))) {
      if (!allChannels.has(channel))
        problems.push(`rollout.${channel} is no channel that is configured; look for a misspelling`);
    }
  }
  return problems;
}

/** Unlike `fieldOf`, with inherited fields: options may be instances of a class. */
function at(value: unknown, ...path: string[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[key];
  }
  return found;
}

/** `Array.isArray` that keeps readonly arrays readonly. */
function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}
