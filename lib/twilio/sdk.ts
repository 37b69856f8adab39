import { lazily } from '../delivery/lazily.js';

/** Twilio's SDK. */
export const loadSdk = lazily(async () => (await import('twilio')).default);
