import { OktaApiError, oktaClient, type OktaCredential, type UserProfile } from 'okta-telephony-hook';
import { whatsAppNumberOf } from './whatsapp-number.js';

/** How a user's codes come, by the profile at Okta. */
export interface CodePreference {
  readonly isByWhatsApp: boolean;
  /** The profile's `mobilePhone`, by `whatsAppNumberOf`; `undefined` if WhatsApp cannot use it. */
  readonly phone: string | undefined;
}

/** Reads and writes it. Both throw `OktaApiError`; after one of `setByWhatsApp`, nobody knows whether it was written. */
export interface CodePreferences {
  read(userId: string): Promise<CodePreference>;
  setByWhatsApp(userId: string, isByWhatsApp: boolean): Promise<void>;
}

/** Two calls fit into what the hook gives `onMessage`, milliseconds. */
const CALL_MS = 1_000;

export function createCodePreferences(parts: {
  readonly credential: OktaCredential;
  readonly optInAttribute: string;
  readonly timeoutMs?: number | undefined;
}): CodePreferences {
  const { credential, optInAttribute, timeoutMs = CALL_MS } = parts;
  const users = oktaClient({ credential, timeoutMs });
  const isOn = (profile: UserProfile | undefined): boolean => profile?.[optInAttribute] === true;
  return {
    read: async (userId) => {
      const profile = await users.readUser(userId);
      return { isByWhatsApp: isOn(profile), phone: whatsAppNumberOf(profile['mobilePhone']) };
    },
    setByWhatsApp: async (userId, isByWhatsApp) => {
      try {
        const profile = await users.updateUser(userId, { [optInAttribute]: isByWhatsApp });
        if (isOn(profile) === isByWhatsApp) return;
        throw new OktaApiError('OKTA_UNREADABLE', `Okta did not keep ${optInAttribute}`);
      } catch (error) {
        // Perhaps only the answer is lost: then the profile has it.
        const profile = await users.readUser(userId).catch(() => undefined);
        if (profile === undefined || isOn(profile) !== isByWhatsApp) throw error;
      }
    },
  };
}
