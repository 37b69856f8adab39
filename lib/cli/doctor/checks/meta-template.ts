import { readWhatsAppCloudOptions } from '../../../channels/meta/options.js';
import { findTemplates, type MetaTemplate } from '../../../channels/meta/template-check.js';
import type { SendContext } from '../../../core/channel.js';
import { makeByMeta } from '../../../options/read-variables.js';
import type { Variables } from '../../environment.js';
import { ok, warn, type Finding } from '../finding.js';

/** How long Okta's codes live, seconds. */
const CODE_LIFE_SECONDS = 300;
/** Meta's default for authentication templates, seconds. */
const DEFAULT_TTL_SECONDS = 600;

/** Reads how long WhatsApp tries to deliver a message: the template says it, not the message. */
export async function metaTemplateFinding(
  variables: Variables,
  context: Pick<SendContext, 'http'>,
): Promise<Finding> {
  const settings = makeByMeta(variables, (options) => readWhatsAppCloudOptions(options, 'whatsAppCloud'));
  const found = settings === undefined ? undefined : await findTemplates(settings, context);
  if (settings === undefined || found === undefined) {
    return warn(
      'The token may not read the template.',
      'Give its system user the permission whatsapp_business_management, or look at the template in WhatsApp Manager.',
    );
  }
  const used = new Set(Object.values(settings.templates.languages));
  const late = found.filter((template) => used.has(template.language ?? '') && outlivesCode(template));
  if (late.length === 0) return ok('WhatsApp drops a message before its code expires.');
  return warn(
    `WhatsApp may deliver a message after its code has expired: the validity period of the template is longer than five minutes.`,
    'Set it to five minutes in WhatsApp Manager: edit the template, "Message validity period".',
  );
}

/** -1 stands for thirty days. */
function outlivesCode({ ttlSeconds = DEFAULT_TTL_SECONDS }: MetaTemplate): boolean {
  return ttlSeconds < 0 || ttlSeconds > CODE_LIFE_SECONDS;
}
