/**
 * Channels beyond Twilio, published as `okta-telephony-hook/channels`.
 *
 * @module okta-telephony-hook/channels
 */
export { awsSms } from './aws/sms.js';
export type { AwsCredentialProvider, AwsCredentials, AwsSmsOptions } from './aws/options.js';
export type { Dlt } from './dlt.js';
export { azureSms } from './azure/azure.js';
export type { AzureCredential, AzureSmsOptions, AzureToken } from './azure/options.js';
export { lineChannel, type LineChannelOptions } from './line/line.js';
export { relayChannel, type RelayChannelOptions } from './relay/relay.js';
export { vonageVoice } from './vonage/voice.js';
export { whatsAppCloud } from './meta/whatsapp-cloud.js';
export type { WhatsAppCloudOptions } from './meta/options.js';
export { vonageChannel } from './vonage/vonage.js';
export type {
  VonageApplication,
  VonageChannelOptions,
  VonageCredential,
  VonageSignatureSecret,
  VonageTemplate,
  VonageVoiceOptions,
} from './vonage/options.js';
export type { WhatsAppTemplate } from './whatsapp-template.js';
