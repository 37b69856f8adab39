/**
 * Express middleware for Okta's telephony inline hook: the hook and its options, its errors, the port for
 * custom channels, and the channels over Twilio.
 *
 * @module okta-telephony-hook
 */
export { oktaTelephonyHook } from './hook/create-hook.js';
export { oktaClient, type OktaClient } from './options/okta-client.js';
export type { HookStatus, Readiness, TelephonyHook } from './hook/telephony-hook.js';
export type { Channel, ChannelParts, ReceivedMessage } from './channels/channel.js';
export type {
  ChannelList,
  ChannelsByCountry,
  ConsoleOptions,
  GuardOptions,
  InboundOptions,
  InboundReply,
  OktaTelephonyHookOptions,
} from './options/options.js';
export type {
  EventHookCredential,
  HookCredential,
  OktaCredential,
  TwilioCredential,
} from './options/credential-types.js';
export {
  ConfigurationError,
  OktaApiError,
  ProviderError,
  TelephonyHookError,
  type ConfigurationIssue,
  type ErrorCode,
} from './core/errors.js';
export type {
  CallbackAnswer,
  CallbackReceiver,
  CallbackRequest,
  ConnectedChannel,
  DeliveryReport,
  InboundMessage,
  Logger,
  Message,
  Outcome,
  PushedReport,
  Refusal,
  RefusalCause,
  SendContext,
  TelephonyRequest,
  UserProfile,
} from './core/channel.js';
export type { AttemptReport, HookEvent, HookEventFields, HookEventOf, HookEventType } from './core/events.js';
export type { State } from './core/state.js';
export type { HttpAnswer, HttpDispatcher, HttpRequest, HttpResult } from './core/http.js';
export type {
  Assess,
  AssessContext,
  Assessment,
  ChooseChannels,
  ComposeText,
  Rollout,
  TextsOptions,
  TwilioConnection,
} from './core/option-types.js';
export { outcomeOf, type AnswerReader } from './http/request.js';
export type { MetricsRegistry } from './events/metrics.js';
export { memoryState } from './state/memory/memory-state.js';
export { twilioCalls } from './channels/twilio/calls.js';
export { twilioLookup, type TwilioLookupOptions } from './channels/twilio/lookup.js';
export { twilioMessages } from './channels/twilio/messages.js';
export { twilioVerify, type TwilioVerifyOptions } from './channels/twilio/verify.js';
