import { isTwilioLookup } from '../channels/twilio/lookup.js';
import { VOICE, type ConnectedChannel } from '../core/channel.js';
import { asList, isObject } from '../core/json.js';
import {
  checkOptions,
  functionRule,
  IS_UNDEFINED,
  lazyRules,
  oneOf,
  optionsOf,
  tested,
  textOf,
  undefinedIn,
  withoutUndefined,
} from '../core/option-rules.js';
import { isByCountry } from './channel-lists.js';

/** The rules that joi does not express: options that need or exclude each other, and objects of the user's own classes. */

/** The problems that no option has alone. The options may still have any shape. */
export function combinationProblems(options: unknown): readonly string[] {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return [];
  const problems: string[] = [];
  const has = (...path: string[]): boolean => at(options, ...path) !== undefined;
  const senders = ['sms', 'voice', 'whatsapp'].filter((channel) => has('senders', channel));
  const channels = at(options, 'channels');
  const custom = namesIn(channels);
  // Another shape breaks a rule of its own.
  const isReadable = ['senders', 'channels'].every((name) => !has(name) || isObject(at(options, name)));
  if (isReadable && senders.length === 0 && custom.length === 0 && !has('sandboxNumber')) {
    const unset = [
      ...undefinedIn(Object(at(options, 'senders')) as object, ['sms', 'voice', 'whatsapp']).map(
        (name) => `senders.${name}`,
      ),
      ...undefinedIn(options, ['sandboxNumber']),
    ];
    const hints = unset.map((name) => `. ${name} ${IS_UNDEFINED}`);
    problems.push(
      `senders: there is no sender at all; give senders.sms, sandboxNumber, or channels of your own${hints.join('')}`,
    );
  }
  if (has('sandboxNumber') && has('senders', 'whatsapp')) {
    problems.push(
      'sandboxNumber and senders.whatsapp are two senders of WhatsApp; leave out sandboxNumber in production',
    );
  }
  const needTwilio = [
    ...senders.map((channel) => `senders.${channel}`),
    ...['sandboxNumber', 'twilio'].filter((option) => has(option)),
    ...(isTwilioLookup(at(options, 'guard', 'assess')) ? ['guard.assess'] : []),
    // A channel of the user's own may receive callbacks, too.
    ...(custom.length > 0 ? [] : ['publicUrl', 'inbound']).filter((option) => has(option)),
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
  if (has('guard', 'learn') && !mayHaveEventHook(at(options, 'credentials'))) {
    problems.push(
      "guard.learn needs credentials.eventHook: it counts the codes that Okta's event hook reports as used; give the event hook's secret, or leave guard.learn out",
    );
  }
  for (const [name, given] of isObject(channels) ? Object.entries(channels) : []) {
    const lists = isByCountry(given)
      ? Object.entries(given).map(([country, list]) => [`${name}.${country}`, list] as const)
      : [[name, given] as const];
    for (const [place, list] of lists) {
      for (const [index, channel] of [list].flat().entries()) {
        const path = `channels.${place}${Array.isArray(list) ? `[${index}]` : ''}`;
        if (isObject(channel)) problems.push(...channelProblems(path, channel));
      }
    }
  }
  const textChannels = new Set([...senders, ...custom, 'whatsapp', 'sms']);
  const addUnknown = (path: string, hint = 'add it to channels or senders'): void => {
    problems.push(`${path} is no channel that is configured; ${hint}`);
  };
  for (const channel of namesIn(at(options, 'lateFailover', 'afterSeconds'))) {
    if (!textChannels.has(channel)) addUnknown(`lateFailover.afterSeconds.${channel}`);
  }
  for (const [index, channel] of asList(at(options, 'optInChannels')).entries()) {
    const isFine = typeof channel !== 'string' || ['', VOICE].includes(channel) || textChannels.has(channel);
    if (!isFine) addUnknown(`optInChannels[${index}]`);
  }
  for (const channel of isReadable ? namesIn(at(options, 'rollout')) : []) {
    const isFine = channel === VOICE || textChannels.has(channel);
    if (!isFine) addUnknown(`rollout.${channel}`, 'look for a misspelling');
  }
  return problems;
}

/** Whether credentials have a secret for the event hook, as the rules of `credentials.eventHook` read them. */
function mayHaveEventHook(credentials: unknown): boolean {
  const given = at(credentials, 'eventHook');
  if (given !== undefined) return given !== false;
  const schemes = asList(at(credentials, 'hook'));
  return schemes.length === 0 || schemes.some((scheme) => at(scheme, 'scheme') !== 'oauth2');
}

/** The names that an object gives a value. */
const namesIn = (value: unknown): readonly string[] =>
  isObject(value) ? Object.keys(withoutUndefined(value)) : [];

/** Unlike `fieldOf`, with inherited fields: options may be instances of a class. */
function at(value: unknown, ...path: string[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[key];
  }
  return found;
}

/** The name of a channel in the options. */
export const CHANNEL_NAME = /^[a-z][\w-]{0,31}$/i;

/** Whether a value is a channel that can send. `channelProblems` checks its other members. */
export function isConnected(value: unknown): value is ConnectedChannel {
  const { send, provider } = Object(value) as Readonly<Record<string, unknown>>;
  return typeof send === 'function' && (provider === undefined || typeof provider === 'string');
}

function isReceiver(value: unknown): boolean {
  const { handle, methods = [] } = Object(value) as Readonly<Record<string, unknown>>;
  const areMethods =
    Array.isArray(methods) && methods.every((method) => method === 'GET' || method === 'POST');
  return typeof handle === 'function' && areMethods;
}

const CHECKED = ['reports', 'lookUp', 'receive', 'confirm', 'check', 'idNamespace'] as const;
type Checked = Pick<ConnectedChannel, (typeof CHECKED)[number]>;

const channelRules = lazyRules(() =>
  optionsOf<Checked>('an object', {
    reports: oneOf("'failures' or 'deliveries', or be left out", 'failures', 'deliveries'),
    lookUp: functionRule('a function (transactionId, context) => what became of the message, or be left out'),
    receive: tested(
      "an object with a function handle (request, context) and, if any, methods of 'GET' and 'POST', or be left out",
      isReceiver,
    ),
    confirm: functionRule('a function (transactionId, context) => a promise, or be left out'),
    check: functionRule('a function (context) => a promise, or be left out'),
    idNamespace: textOf("a word of letters, digits, '.', '-' and '_', or be left out").pattern(
      /^[\w.-]{1,64}$/,
    ),
  }),
);

/**
 * What is wrong with a channel beside `send` and `provider`.
 * @param path - the channel's place in the options.
 */
export function channelProblems(path: string, channel: object): readonly string[] {
  // Field by field: joi would copy the object, and getters of a class may need the object itself.
  const given = CHECKED.map((name) => [name, (channel as Partial<Checked>)[name]]);
  const { problems } = checkOptions(channelRules(), Object.fromEntries(given));
  return problems.map((problem) => `${path}.${problem}`);
}
