import { startAzureEmulator, type AzureEmulator, type AzureEmulatorOptions } from '#lib/testing/index.js';
import { mustNotShow } from '#harness/witness.js';

/** Proves the reports of the emulated Event Grid. */
export const REPORT_SECRET = 'event-grid-secret-5d21';

/** The emulator, with secrets that no test may show. */
export async function startAzure(options?: AzureEmulatorOptions): Promise<AzureEmulator> {
  const azure = await startAzureEmulator(options);
  mustNotShow(azure.credential.accessKey, REPORT_SECRET);
  return azure;
}
