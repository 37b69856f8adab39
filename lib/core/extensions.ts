/** Functions of the user that the hook calls, and the remedies if one fails. */

/** A `rollout` that fails keeps its last value. If `authorize`, an option of the console, fails, the console refuses everyone. */
export type Extension =
  | 'chooseChannels'
  | 'composeText'
  | 'rollout'
  | 'state'
  | 'lateFailover'
  | 'channel'
  | 'lookUp'
  | 'inbound'
  | 'authorize';

const MEND_THE_FUNCTION = (name: string): string =>
  `Mend the option ${name}: it threw, took too long or returned an invalid value; see the reason.`;

/** By what failed. */
export const EXTENSION_REMEDIES: Readonly<Record<Extension, string>> = {
  chooseChannels: MEND_THE_FUNCTION('chooseChannels'),
  composeText: MEND_THE_FUNCTION('composeText'),
  rollout: MEND_THE_FUNCTION('rollout'),
  state:
    'Follow the remedy of state.lost, if it was reported. Else see that the process is not too busy to hear of its state in time, and that all gateways have the same encryptionKeys.',
  lateFailover:
    'Mend the channel that the reason is about: what it says of its deliveries could not be followed.',
  channel:
    "Mend the channel that the reason names: send resolves to { status: 'accepted', transactionId }, { status: 'refused', code, reason } or { status: 'unknown', reason }, and context.http takes { url, method?, headers?, json | form | body? }.",
  lookUp: 'Mend the lookUp of the channel that the reason names, or see that its provider may be asked.',
  inbound: 'Mend inbound.onMessage: it threw or took too long, and the sender got no reply of it.',
  authorize:
    "Mend the console's authorize: true, { administrator: name } or false within 5 s, and waiting for nothing but your own session.",
};
