import { startVonageEmulator as start, type VonageEmulator } from '#lib/testing/index.js';
import { mustNotShow } from '#harness/witness.js';

export type { VonageEmulator } from '#lib/testing/index.js';

/** An emulated Vonage whose secrets no output may show, nor the tokens that it got. */
export async function startVonageEmulator(clock?: () => number): Promise<VonageEmulator> {
  const vonage = await start({ clock });
  const { apiSecret, privateKey, signatureSecret, requests, close } = vonage;
  mustNotShow(apiSecret, privateKey, privateKey.slice(60, 100), signatureSecret);
  return Object.defineProperty(vonage, 'close', {
    value: () => {
      for (const { headers } of requests) mustNotShow(headers.authorization?.split(' ')[1] ?? '');
      return close();
    },
  });
}
