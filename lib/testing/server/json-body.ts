import type { IncomingMessage } from 'node:http';
import { parseJson } from '../../core/json.js';

const MAX_BODY_BYTES = 64 * 1024;

/**
 * The JSON of a request; what a parser of the gateway's read before is taken as it is. `undefined` where it is none, or
 * larger than 64 KiB.
 */
export async function readJsonBody(req: IncomingMessage & { readonly body?: unknown }): Promise<unknown> {
  if (req.body !== undefined) return req.body;
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of req as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) return undefined;
      chunks.push(chunk);
    }
    return parseJson(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}
