import type { HttpAnswer } from '../../core/http.js';
import { asList, textFieldOf } from '../../core/json.js';
import { USER_AGENT } from '../../http/call.js';
import { outcomeOf, readObject, type AnswerReader } from '../../http/request.js';
import type { Channel } from '../channel.js';
import { requireTextChannel } from '../provider.js';
import { templateComponentsOf, templateLanguageOf } from '../whatsapp-template.js';
import { metaWebhook } from './callbacks.js';
import { readRefusal } from './error-codes.js';
import { readWhatsAppCloudOptions, type WhatsAppCloudOptions } from './options.js';
import { checkTemplates, findTemplates } from './template-check.js';

const FACTORY = 'whatsAppCloud';
const MESSAGE_ID = /^wamid\.[\w+/=-]+$/;

/**
 * WhatsApp by Meta's Cloud API, without a reseller. The code goes into the body of an authentication template and into the button
 * that copies it. Meta reports each message by a webhook, which the hook serves with `publicUrl`. A report also resolves an outcome
 * that is unknown.
 *
 * Sources: Meta's Cloud API pages "Authentication templates", "Messages", "Webhooks" and "Health status".
 *
 * @throws ConfigurationError that names every problem of the options and its remedy.
 */
export function whatsAppCloud(options: WhatsAppCloudOptions): Channel {
  const settings = readWhatsAppCloudOptions(options, FACTORY);
  const { phoneNumberId, accessToken, templates, apiVersion, baseUrl } = settings;
  const { origin, host } = new URL(baseUrl);
  const headers = { authorization: `Bearer ${accessToken}`, 'user-agent': USER_AGENT };
  const url = `${origin}/${apiVersion}/${phoneNumberId}/messages`;
  return ({ channel }) => {
    requireTextChannel(channel, FACTORY);
    return {
      provider: 'META',
      host,
      usesText: false,
      reports: 'deliveries',
      receive: metaWebhook(settings),
      check: async (context) => {
        const found = await findTemplates(settings, context);
        if (found !== undefined) checkTemplates(templates, found);
      },
      send: async ({ to, locale, request }, { http, reference }) => {
        const result = await http({
          url,
          headers,
          json: {
            messaging_product: 'whatsapp',
            recipient_type: 'individual',
            to,
            type: 'template',
            template: {
              name: templates.name,
              language: { code: templateLanguageOf(templates, locale) },
              components: templateComponentsOf(request.otpCode),
            },
            biz_opaque_callback_data: reference,
          },
        });
        return outcomeOf(result, META);
      },
    };
  };
}

const META: AnswerReader = { provider: 'Meta', readSuccess, readRefusal };

function readSuccess(answer: HttpAnswer): string | undefined {
  const [message] = asList(readObject(answer)['messages']);
  const id = textFieldOf(message, 'id');
  return id !== undefined && MESSAGE_ID.test(id) ? id : undefined;
}
