import { fieldOf, textFieldOf } from '../../../core/json.js';
import type { WhatsAppSender } from '../../../channels/twilio/settings.js';
import { fail, known, ok, warn, type Check, type Finding } from '../finding.js';
import { notRead, type TwilioAccess } from './twilio-access.js';

/** How WhatsApp is sent: the sandbox, or a template in each language. */

/** Twilio's, and the same for everybody. */
const SANDBOX = '+14155238886';
const TEMPLATE_TYPE = 'whatsapp/authentication';

export function examineWhatsApp(sender: WhatsAppSender | undefined, access: TwilioAccess): readonly Check[] {
  if (sender === undefined) {
    const finding = warn(
      'Skipped: no WhatsApp sender is set; who opted in gets an SMS.',
      'Set TWILIO_WHATSAPP_FROM and TWILIO_WHATSAPP_TEMPLATE, or to try it TWILIO_SANDBOX_NUMBER.',
    );
    return [known('twilio.whatsapp', finding)];
  }
  if (sender.kind === 'sandbox') {
    return [known('twilio.whatsapp', sandboxFinding(sender.from))];
  }
  // Of what Twilio has of a WhatsApp sender nothing is read here.
  const unseen = warn(
    'The sender TWILIO_WHATSAPP_FROM itself was not looked at, only its templates.',
    "See that it is the account's, and online: Twilio Console, Messaging > Senders > WhatsApp senders.",
  );
  const templates = Object.entries(sender.templates).map(([locale, sid]) => ({
    name: locale === 'default' ? 'twilio.template' : `twilio.template.${locale}`,
    look: () => templateFinding(access, sid),
  }));
  return [known('twilio.whatsapp', unseen), ...templates];
}

function sandboxFinding(from: string): Finding {
  if (from === SANDBOX) {
    return ok(
      'WhatsApp comes from the sandbox, for trials: only to phones that have joined it, within 24 hours of what they wrote last.',
    );
  }
  return warn(
    "TWILIO_SANDBOX_NUMBER is not the number of Twilio's sandbox.",
    'For a number of your own set TWILIO_WHATSAPP_FROM and TWILIO_WHATSAPP_TEMPLATE; the sandbox is under Messaging > Try it out in the Twilio Console.',
  );
}

async function templateFinding({ sending }: TwilioAccess, sid: string): Promise<Finding> {
  const [template, approval] = await Promise.all([sending.template(sid), sending.approval(sid)]);
  if (template.kind === 'refused' && template.status === 404) {
    return fail(
      `The account has no template ${sid}.`,
      'Copy the Content SID anew: Twilio Console, Messaging > Content Template Builder.',
    );
  }
  if (template.kind !== 'found') return notRead('The template', template);
  if (approval.kind !== 'found') return notRead('The approval of the template', approval);
  const whatsApp = fieldOf(approval.body, 'whatsapp');
  const status = textFieldOf(whatsApp, 'status') ?? 'unsubmitted';
  const category = textFieldOf(whatsApp, 'category') ?? '';
  const language = textFieldOf(template.body, 'language') ?? 'no language';
  const variables = Object.keys(Object(template.body['variables']) as object);
  const types = Object.keys(Object(template.body['types']) as object);
  if (status !== 'approved') {
    return fail(
      `WhatsApp has the template as ${word(status)}: codes by it do not arrive.`,
      status === 'unsubmitted'
        ? 'Submit it for WhatsApp approval, in the category Authentication: Twilio Console, Content Template Builder.'
        : 'Look at why in Content Template Builder and, at Meta, in WhatsApp Manager; make another one where it was rejected.',
    );
  }
  if (category.toUpperCase() !== 'AUTHENTICATION' || !types.includes(TEMPLATE_TYPE)) {
    return fail(
      `The template is of the category ${word(category)} and the type ${word(types[0] ?? '')}: WhatsApp wants codes by authentication templates only.`,
      `Make one of the type ${TEMPLATE_TYPE}, with the category Authentication, and have it approved.`,
    );
  }
  if (variables.length > 1 || (variables[0] ?? '1') !== '1') {
    return fail(
      `The template has the variables ${variables.map(word).join(', ')}: the code comes as {{1}}, and nothing else.`,
      `Make one of the type ${TEMPLATE_TYPE}: it has that one variable.`,
    );
  }
  return ok(`It is an approved authentication template with one variable, in ${word(language)}.`);
}

/** A word of Twilio's, as a name and no more. */
function word(text: string): string {
  return /^[\w/-]{1,40}$/.test(text) ? text : 'none that is known';
}
