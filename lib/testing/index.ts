/**
 * Local servers that stand in for Okta and providers in tests, published as `okta-telephony-hook/testing`.
 *
 * @module okta-telephony-hook/testing
 */
export type { RequestType as HookRequestType } from '../core/request-types.js';
export type { Fault, FaultRule } from './server/faults.js';
export type { EmulatedProvider, ProviderEmulatorOptions } from './server/emulated-provider.js';
export type { DeliveredItem, EmulatedPhoneItem } from './server/phones.js';
export type { RecordedRequest } from './server/request.js';
export type { EmulatedCallback } from './server/status-callbacks.js';
export {
  startAwsEmulator,
  type AwsCallbackFault,
  type AwsEmulator,
  type AwsEmulatorOptions,
  type AwsLateFailureRule,
  type AwsRefusalRule,
  type EmulatedAwsMessage,
} from './aws/emulator.js';
export type { AwsKeys } from './aws/proof.js';
export type { SnsFields } from './aws/topic.js';
export type { SchemaAttribute, SchemaAttributes, UserSchemaView } from './okta/users/attributes.js';
export type { OidcApp } from './okta/sign-in/authorization-request.js';
export { startOktaEmulator, type OktaEmulator, type OktaEmulatorOptions } from './okta/emulator.js';
export type { EmulatedEventHook, EventDelivery, FireOptions } from './okta/hooks/event-hooks.js';
export type { HookCall, HookCallOptions } from './okta/hooks/hook-calls.js';
export type { HookChannel, HookOAuth } from './okta/hooks/hook-channel.js';
export type { EmulatedHookKey } from './okta/hooks/hook-keys.js';
export type { HookPayloadOptions } from './okta/hooks/hook-payload.js';
export type { HookTokenOptions } from './okta/authorization/hook-tokens.js';
export type { EmulatedInlineHook } from './okta/hooks/inline-hooks.js';
export type { LogEvent, LogEventOptions, LogParty } from './okta/hooks/log-events.js';
export type { AuthenticatorStatus, TelephonyProvider } from './okta/org-resources.js';
export type { CodeProblem, EnteredCode } from './okta/hooks/codes.js';
export type { RateLimit, RateLimitBucket } from './okta/api/rate-limit.js';
export type { SchemaDelay } from './okta/users/schema.js';
export type { HookClient } from './okta/authorization/token-endpoint.js';
export type { ServiceApp } from './okta/authorization/org-tokens.js';
export type { EmulatedUser, NewUser, PhoneFactor } from './okta/users/users.js';
export type { OktaVerdict } from './okta/hooks/verdict.js';
export {
  startAzureEmulator,
  type AzureCallbackFault,
  type AzureEmulator,
  type AzureEmulatorOptions,
  type AzureLateFailureRule,
  type AzureRefusalRule,
  type EmulatedAzureMessage,
  type EmulatedGridEvent,
} from './azure/emulator.js';
export {
  startMetaEmulator,
  type MetaCallbackFault,
  type MetaEmulator,
  type MetaEmulatorOptions,
  type MetaLateFailureRule,
  type MetaRefusalRule,
  type MetaSettings,
} from './meta/emulator.js';
export type { EmulatedMetaMessage } from './meta/messages.js';
export type { EmulatedMetaTemplate, NewMetaTemplate } from './meta/templates.js';
export type { MetaIds, MetaInboundMessage } from './meta/webhook.js';
export type { AccountSettings, CampaignStatus, TollfreeStatus } from './twilio/account.js';
export type { EmulatedCall } from './twilio/calls.js';
export type { EmulatedTemplate, NewTemplate, TemplateStatus } from './twilio/content.js';
export { startTwilioEmulator, type TwilioEmulator, type TwilioEmulatorOptions } from './twilio/emulator.js';
export type { TwilioError } from './twilio/errors.js';
export type { AdvancedOptOut, EmulatedInbound, InboundMessage } from './twilio/inbound.js';
export type { CallbackFault } from './twilio/lifecycle.js';
export type { EmulatedFeedback, EmulatedMessage } from './twilio/messages.js';
export type { NumberRisk } from './twilio/lookup.js';
export type { LateFailureRule, RefusalRule } from './twilio/context.js';
export type { NumberCapabilities } from './twilio/senders.js';
export type { EmulatedVerification } from './twilio/verify.js';
export type { VerifyChannel, VerifySettings } from './twilio/verify-service.js';
export type { WebhookAnswer } from './twilio/webhook.js';
export {
  startVonageEmulator,
  type VonageCallbackFault,
  type VonageEmulator,
  type VonageEmulatorOptions,
  type VonageLateFailureRule,
  type VonageInboundMessage,
  type VonageRefusalRule,
} from './vonage/emulator.js';
export type { EmulatedVonageCall } from './vonage/calls.js';
export type { EmulatedVonageMessage } from './vonage/messages.js';
