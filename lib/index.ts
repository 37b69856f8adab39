/**
 * Express middleware for Okta's telephony inline hook: the hook and its options, its errors, the port for
 * custom channels, and the channels over Twilio.
 *
 * @module okta-telephony-hook
 */
export { oktaTelephonyHook } from './hook/create-hook.js';
export { oktaClient, type OktaClient } from './options/okta-client.js';
export type { ConsoleHandler, HookStatus, Readiness, TelephonyHook } from './hook/telephony-hook.js';
export type { Channel, ChannelParts } from './channels/channel.js';
export type {
  ConsoleOptions,
  EventHookCredential,
  GuardLimit,
  GuardOptions,
  HookCredential,
  InboundOptions,
  InboundReply,
  OktaCredential,
  OktaTelephonyHookOptions,
  SenderOption,
  TwilioCredential,
} from './options/options.js';
export {
  ConfigurationError,
  OktaApiError,
  ProviderError,
  TelephonyHookError,
  type ConfigurationIssue,
  type ErrorCode,
  type OktaApiErrorCode,
  type ProviderErrorCode,
} from './core/errors.js';
export type {
  ConnectedChannel,
  DeliveryFailure,
  DeliveryReport,
  FailureDetails,
  Logger,
  Message,
  MoveOn,
  Outcome,
  Refusal,
  RefusalCause,
  SendContext,
  TelephonyRequest,
  UserProfile,
} from './core/channel.js';
export type {
  BreakerState,
  AttemptReport,
  BrokenRule,
  GuardRule,
  HookEvent,
  HookEventFields,
  HookEventOf,
  HookEventType,
  OptionWarning,
  WarnedOption,
} from './core/events.js';
export type { State } from './core/state.js';
export type { HttpAnswer, HttpForm, HttpRequest, HttpResult } from './core/http.js';
export type { HttpDispatcher } from './http/call.js';
export { outcomeOf, type AnswerReader } from './http/outcome.js';
export type { ChooseChannels } from './delivery/plan.js';
export type { Rollout } from './delivery/rollout.js';
export type { ComposeText } from './texts/compose-text.js';
export type {
  SpokenWords,
  TextsByLocale,
  TextsByRequestType,
  TextsOptions,
  VoiceTexts,
} from './texts/texts.js';
export type { LogFunction } from './events/adapt-logger.js';
export type { MetricsRegistry } from './events/metrics.js';
export { memoryState } from './state/memory/memory-state.js';
export type { SenderByCountry, TwilioSettings, WhatsAppSender } from './channels/twilio/settings.js';
export type { TwilioCallContext, TwilioConnection } from './channels/twilio/client.js';
export type {
  TwilioCallParameters,
  TwilioClient,
  TwilioMessageParameters,
  TwilioVerificationParameters,
  TwimlBuilder,
} from './channels/twilio/sdk-types.js';
export { twilioCalls } from './channels/twilio/calls.js';
export type { ReceivedMessage } from './channels/twilio/webhooks.js';
export { twilioMessages } from './channels/twilio/messages.js';
export { twilioVerify, type TwilioVerifyOptions } from './channels/twilio/verify.js';
