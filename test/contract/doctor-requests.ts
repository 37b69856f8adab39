import { startOktaEmulator, startTwilioEmulator } from '../../lib/testing/index.js';
import { runCommand } from './command-runs.js';
import type { Finding } from './findings.js';
import { isOutside } from './outside.js';
import type { VendorDocument } from './prism.js';
import { forwardTo, startProxy, type Examined } from './proxy.js';

/** Runs doctor against both emulators, and checks every request and answer with the documents. */
export async function examineDoctor(
  ofOkta: readonly VendorDocument[],
  ofTwilio: readonly VendorDocument[],
): Promise<Examined> {
  const [okta, twilio] = await Promise.all([startOktaEmulator(), startTwilioEmulator()]);
  const [oktaProxy, twilioProxy] = await Promise.all([
    startProxy(ofOkta, forwardTo(okta.orgUrl), isOutside),
    startProxy(ofTwilio, forwardTo(twilio.baseUrl), isOutside),
  ]);
  const findings: Finding[] = [];
  try {
    okta.setAttribute('whatsAppOptIn', { title: 'Ours', type: 'boolean' });
    const common = {
      OKTA_ORG_URL: oktaProxy.origin,
      OKTA_API_TOKEN: okta.apiToken,
      TWILIO_ACCOUNT_SID: twilio.accountSid,
      TWILIO_API_KEY_SID: twilio.apiKeySid,
      TWILIO_API_KEY_SECRET: twilio.apiKeySecret,
      TWILIO_AUTH_TOKEN: twilio.authToken,
      TWILIO_BASE_URL: twilioProxy.origin,
      TWILIO_VOICE_FROM: twilio.voiceNumber,
      TWILIO_VERIFY_SERVICE_SID: twilio.verifyServiceSid,
    };
    const bySandbox = { TWILIO_SMS_FROM: twilio.smsNumber, TWILIO_SANDBOX_NUMBER: twilio.sandboxNumber };
    const byTemplate = {
      TWILIO_SMS_FROM: twilio.messagingServiceSid,
      TWILIO_WHATSAPP_FROM: '+14155550102',
      TWILIO_WHATSAPP_TEMPLATE: twilio.addTemplate({}).sid,
    };
    for (const env of [bySandbox, byTemplate]) {
      const lines = (await runCommand(['doctor'], { ...common, ...env })) as readonly Line[];
      for (const { check, status, message } of lines) {
        // doctor cannot check a WhatsApp sender: it reports that with any answer of Twilio.
        if (!check.startsWith('twilio.') || check === 'twilio.whatsapp' || status === 'ok') continue;
        findings.push({ document: 'our requests', operation: `doctor: ${check}`, what: message });
      }
    }
    const examined = await Promise.all([oktaProxy.examine(), twilioProxy.examine()]);
    return {
      findings: [...findings, ...examined.flatMap((one) => one.findings)],
      exchanges: examined.flatMap((one) => one.exchanges),
    };
  } finally {
    await Promise.all([oktaProxy, twilioProxy, okta, twilio].map((one) => one.close()));
  }
}

interface Line {
  readonly check: string;
  readonly status: string;
  readonly message: string;
}
