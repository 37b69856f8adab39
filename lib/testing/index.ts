/**
 * Local servers that stand in for Okta and Twilio in tests, published as `okta-telephony-hook/testing`.
 *
 * @packageDocumentation
 */
export type { Fault, FaultRule, RecordedRequest } from './faults.js';
export { startOktaEmulator, type OktaEmulator, type OktaEmulatorOptions } from './okta-emulator.js';
export type { HookCall, HookCallOptions } from './okta-hook-call.js';
export type { HookPayloadOptions, HookRequestType } from './okta-hook-payload.js';
export type { HookTokenOptions } from './okta-hook-tokens.js';
export type { RateLimit } from './okta-rate-limit.js';
export type { ServiceApp } from './okta-tokens.js';
export type { EmulatedUser, NewUser } from './okta-users.js';
export type { OktaVerdict } from './okta-verdict.js';
export type { EmulatedPhoneItem, LateFailureRule, RefusalRule } from './twilio-account.js';
export type { EmulatedCall } from './twilio-calls.js';
export {
  startTwilioEmulator,
  type DeliveredItem,
  type TwilioEmulator,
  type TwilioEmulatorOptions,
} from './twilio-emulator.js';
export type { TwilioError } from './twilio-errors.js';
export type { EmulatedCallback } from './twilio-lifecycle.js';
export type { EmulatedMessage } from './twilio-messages.js';
