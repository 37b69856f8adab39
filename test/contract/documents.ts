import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OKTA_AMENDMENTS, TWILIO_AMENDMENTS } from './amendments.js';
import type { Json } from './document-parts.js';
import { isSchema } from './own-checks.js';
import { readDocument, type VendorDocument } from './prism.js';

/** The vendors' documents, by file name. */
export const DOCUMENTS = [
  'okta_management',
  'twilio_api_v2010',
  'twilio_content_v1',
  'twilio_messaging_v1',
  'twilio_verify_v2',
] as const;

/**
 * Reads the documents of a folder.
 * @throws Error with the name of a missing or unreadable file.
 */
export async function readDocuments(folder: string): Promise<readonly VendorDocument[]> {
  return Promise.all(
    DOCUMENTS.map(async (name) => {
      const amendments = name.startsWith('okta') ? OKTA_AMENDMENTS : TWILIO_AMENDMENTS;
      const original = parseDocument(join(folder, `${name}.json`));
      return readDocument(
        name,
        amendments.reduce((document, { change }) => change(document), original),
      );
    }),
  );
}

function parseDocument(file: string): Json {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new Error(`${file} does not exist, or is no JSON`, { cause });
  }
  if (!isSchema(parsed) || !isSchema(parsed['paths'])) throw new Error(`${file} is no OpenAPI document`);
  return parsed;
}
