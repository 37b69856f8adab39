import type { RsaKeys } from '../authorization/rsa-keys.js';
import type { Outbound } from '../../server/outbound.js';

/** The path of the custom authorization server. */
export const ISSUER_PATH = '/oauth2/default';

/** What the parts of an emulated org share. */
export interface OrgContext {
  readonly orgUrl: string;
  /** The custom authorization server. */
  readonly issuer: string;
  readonly clock: () => number;
  /** How Okta calls hooks. */
  readonly outbound: Outbound;
  readonly rsaKeys: RsaKeys;
}
