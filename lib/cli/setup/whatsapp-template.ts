import { readRefusal } from '../../channels/meta/error-codes.js';
import { readWhatsAppCloudOptions, type WhatsAppCloudSettings } from '../../channels/meta/options.js';
import { checkNumber, graphRequests, readTemplates } from '../../channels/meta/template-check.js';
import { TEMPLATE_LANGUAGE } from '../../channels/whatsapp-template.js';
import type { SendContext } from '../../core/channel.js';
import { questionContext } from '../../delivery/channel-contract.js';
import { createAgent } from '../../http/call.js';
import { makeByMeta } from '../../options/read-variables.js';
import { commandLine, confirm, printNextSteps, textOption, textOptions, YES_OPTION } from '../command.js';
import type { Command, CommandCall } from '../command.js';
import { CommandError, type ExitCode } from '../failure.js';

/** The command that creates the authentication template at Meta: codes go by no other kind of template. */

const CALL_MS = 10_000;
const CONNECT_MS = 5_000;
/** Okta's codes live five minutes. WhatsApp drops a message that it cannot deliver by then. */
const CODE_LIFE_MINUTES = 5;

const NAME = 'setup whatsapp-template';

export const setupWhatsAppTemplate: Command = {
  name: NAME,
  summary:
    'creates the authentication template of WhatsApp at Meta, with the code and a button that copies it',
  help: `Creates the template META_TEMPLATE in each language that does not have it. It changes no template that is there. Meta reviews a
new template, which usually takes minutes. Its messages are valid for five minutes, as Okta's codes.

  -y, --yes            create the templates without asking
  --languages <codes>  WhatsApp's codes with commas between them, such as en_US,pt_BR (META_TEMPLATE_LANGUAGE, or en_US)
  --account <id>       the id of the WhatsApp account, if Meta does not name it for the number

Environment: the gateway's own META_…
The system user of META_ACCESS_TOKEN needs the permission whatsapp_business_management.

  okta-telephony-hook setup whatsapp-template
  okta-telephony-hook setup whatsapp-template --languages en_US,pt_BR,de --yes --env gateway.env`,
  options: { ...YES_OPTION, ...textOptions('languages', 'account') },
  run: async (call) => {
    const { variables } = call;
    await variables.ask('META_ACCESS_TOKEN', "a system user's access token");
    const settings = makeByMeta(variables, (options) => readWhatsAppCloudOptions(options, NAME));
    variables.require();
    // Without problems there are settings.
    if (settings === undefined) throw new CommandError('BAD_ENVIRONMENT', 'META_… cannot be read.');
    const languages = readLanguages(call, settings);
    const dispatcher = createAgent(CONNECT_MS);
    try {
      const context = (): SendContext =>
        questionContext({ dispatcher, onMistake: () => undefined }, CALL_MS, CONNECT_MS);
      return await createTemplates(call, { settings, languages, context });
    } finally {
      await dispatcher.destroy();
    }
  },
};

function readLanguages({ options }: CommandCall, { templates }: WhatsAppCloudSettings): readonly string[] {
  const given = textOption(options, 'languages')?.split(',') ?? Object.values(templates.languages);
  if (given.every((language) => TEMPLATE_LANGUAGE.test(language))) return [...new Set(given)];
  throw new CommandError(
    'BAD_USE',
    "--languages takes WhatsApp's codes with commas between them, such as en_US,pt_BR.",
  );
}

interface Parts {
  readonly settings: WhatsAppCloudSettings;
  readonly languages: readonly string[];
  readonly context: () => SendContext;
}

async function createTemplates(call: CommandCall, parts: Parts): Promise<ExitCode> {
  const { options, terminal } = call;
  const { settings, languages, context } = parts;
  const { name } = settings.templates;
  const report = Object.assign(call.report, {
    command: NAME,
    result: 'unchanged',
    done: [] as string[],
    next: [] as string[],
  });
  const request = graphRequests(settings);
  const account =
    textOption(options, 'account') ?? (await checkNumber(settings.phoneNumberId, request, context()));
  if (account === undefined || !/^\d{1,25}$/.test(account)) {
    throw new CommandError(
      'BAD_USE',
      'The id of the WhatsApp account is not known.',
      'Name it by --account: digits, as in WhatsApp Manager under Settings.',
    );
  }
  const found = await readTemplates(account, name, request, context());
  if (found === undefined) {
    throw new CommandError(
      'META_FORBIDDEN',
      'The token may not read the templates of the account.',
      'Give its system user the permission whatsapp_business_management, and the account.',
    );
  }
  const missing = languages.filter((one) => found.every(({ language }) => language !== one));
  if (missing.length === 0) {
    terminal.say(`✔ The template ${name} is there in ${languages.join(', ')}. Nothing was changed.`, 'green');
  } else {
    terminal.say(`Create the template ${name}`, 'bold');
    terminal.sayTable([
      ['languages', missing.join(', ')],
      ['category', 'Authentication'],
      ['button', 'Copy code'],
      ['validity', `${CODE_LIFE_MINUTES} minutes`],
    ]);
    if (options['yes'] !== true && !(await confirm(terminal, 'Go on?', 'Nothing was created'))) {
      report.result = 'declined';
      terminal.say('Nothing was created.');
      terminal.json(report);
      return 1;
    }
    for (const language of missing) {
      await createTemplate({ account, language }, parts);
      report.done.push(language);
      report.result = 'changed';
      terminal.say(`✔ ${language}: created, in review`, 'green');
    }
    report.next.push('Wait for the review: WhatsApp Manager, Message templates.');
  }
  report.next.push(commandLine(call, 'doctor'));
  printNextSteps(report.next, terminal);
  terminal.json(report);
  return 0;
}

/** @throws CommandError if Meta has not created it. */
async function createTemplate(
  { account, language }: { readonly account: string; readonly language: string },
  { settings, context }: Parts,
): Promise<void> {
  const result = await context().http({
    ...graphRequests(settings)(`${account}/message_templates`),
    method: 'POST',
    json: {
      name: settings.templates.name,
      language,
      category: 'AUTHENTICATION',
      message_send_ttl_seconds: CODE_LIFE_MINUTES * 60,
      components: [
        { type: 'body', add_security_recommendation: true },
        { type: 'footer', code_expiration_minutes: CODE_LIFE_MINUTES },
        { type: 'buttons', buttons: [{ type: 'otp', otp_type: 'copy_code' }] },
      ],
    },
  });
  if (result.kind === 'answered' && result.status === 200) return;
  const refusal = result.kind === 'answered' ? readRefusal(result) : undefined;
  const why =
    refusal?.status === 'refused' ? `Meta refused it (${refusal.code})` : 'Meta gave no clear answer';
  throw new CommandError(
    'TEMPLATE_NOT_CREATED',
    `The template in ${language} was not created: ${why}.`,
    refusal?.remedy ?? 'Run this again: it creates only what is missing.',
  );
}
