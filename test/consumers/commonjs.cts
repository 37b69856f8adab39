// Uses the same types when TypeScript compiles to CommonJS and `import` becomes `require`.
import { oktaTelephonyHook, type TelephonyHook } from 'okta-telephony-hook';
import { lineChannel } from 'okta-telephony-hook/channels';
import { startDemoOrg } from 'okta-telephony-hook/demo';
import { optionsFrom } from 'okta-telephony-hook/environment';
import { redisState } from 'okta-telephony-hook/redis';
import { startTwilioEmulator } from 'okta-telephony-hook/testing';

export const parts: readonly unknown[] = [
  lineChannel,
  startDemoOrg,
  optionsFrom,
  redisState,
  startTwilioEmulator,
];
export const make: (options: Parameters<typeof oktaTelephonyHook>[0]) => TelephonyHook = oktaTelephonyHook;
