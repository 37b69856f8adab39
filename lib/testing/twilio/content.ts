import { okReply, type Answer } from '../server/reply.js';
import { randomSid } from '../server/random-ids.js';
import { given, type TwilioContext } from './context.js';
import { notFound } from './errors.js';
import { metaPage } from './lists.js';
import { isoDate } from './formats.js';

/** WhatsApp's approval of a template. Only an approved template reaches a phone that did not write within a day. */
export type TemplateStatus =
  'unsubmitted' | 'received' | 'pending' | 'approved' | 'rejected' | 'paused' | 'disabled';

/** A content template for `addTemplate`. */
export interface NewTemplate {
  /** Default: a random one. */
  readonly sid?: string | undefined;
  /** Default: `verification_code`. */
  readonly friendlyName?: string | undefined;
  /** In WhatsApp's form, e.g. `pt_BR`. Default: `en`. */
  readonly language?: string | undefined;
  /**
   * The content by type, as in Twilio's Content API. Default: `whatsapp/authentication` with the advice
   * not to share the code and a button that copies it.
   */
  readonly types?: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined;
  /** The variables with their samples. A message without a variable shows its sample. Default: `{1: '123456'}`. */
  readonly variables?: Readonly<Record<string, string>> | undefined;
  /** Default: `approved`. */
  readonly status?: TemplateStatus | undefined;
  /** Default: `AUTHENTICATION`. */
  readonly category?: 'AUTHENTICATION' | 'UTILITY' | 'MARKETING' | undefined;
  /** Why WhatsApp rejected it. Default: empty. */
  readonly rejectionReason?: string | undefined;
}

/** A content template of the account. */
export type EmulatedTemplate = { readonly [Key in keyof NewTemplate]-?: NonNullable<NewTemplate[Key]> } & {
  /** Milliseconds by the emulator's clock. */
  readonly createdAt: number;
};

const DEFAULTS = {
  friendlyName: 'verification_code',
  language: 'en',
  types: {
    'whatsapp/authentication': {
      add_security_recommendation: true,
      actions: [{ type: 'COPY_CODE', copy_code_text: 'Copy code' }],
    },
  },
  variables: { '1': '123456' },
  status: 'approved',
  category: 'AUTHENTICATION',
  rejectionReason: '',
} as const;

/** The content templates of an account, and the Content API. */
export class TwilioContent {
  readonly templates: EmulatedTemplate[] = [];
  readonly #context: TwilioContext;

  constructor(context: TwilioContext) {
    this.#context = context;
  }

  add(template: NewTemplate): EmulatedTemplate {
    const added: EmulatedTemplate = {
      sid: randomSid('HX'),
      ...DEFAULTS,
      ...given(template),
      createdAt: this.#context.clock(),
    };
    const place = this.templates.findIndex((known) => known.sid === added.sid);
    if (place === -1) this.templates.push(added);
    else this.templates[place] = added;
    return added;
  }

  /**
   * The template of a message; `undefined` for an unknown one. While a test has added none, every SID is an
   * approved verification template in English, which takes any variables.
   */
  find(sid: string, variables: Readonly<Record<string, string>>): EmulatedTemplate | undefined {
    if (this.templates.length > 0 && sid !== this.#context.sandboxContentSid) {
      return this.templates.find((template) => template.sid === sid);
    }
    return { ...DEFAULTS, sid, variables: { ...DEFAULTS.variables, ...variables }, createdAt: 0 };
  }

  readonly list: Answer = (request) => {
    const items = this.templates.map((template) => this.#resource(template));
    return metaPage(request, this.#context.server.origin, { name: 'contents', items });
  };

  readonly show = this.#withTemplate((template) => this.#resource(template));
  readonly showApproval = this.#withTemplate((template) => this.#approval(template));

  #withTemplate(show: (template: EmulatedTemplate) => object): Answer {
    return (request, { sid }) => {
      const template = this.templates.find((known) => known.sid === sid);
      return template === undefined ? notFound(request) : okReply(show(template));
    };
  }

  #resource(template: EmulatedTemplate): object {
    const url = this.#urlOf(template);
    return {
      account_sid: this.#context.accountSid,
      date_created: isoDate(template.createdAt),
      date_updated: isoDate(template.createdAt),
      friendly_name: template.friendlyName,
      language: template.language,
      links: {
        approval_create: `${url}/ApprovalRequests/whatsapp`,
        approval_fetch: `${url}/ApprovalRequests`,
      },
      sid: template.sid,
      types: template.types,
      url,
      variables: template.variables,
    };
  }

  #approval(template: EmulatedTemplate): object {
    return {
      account_sid: this.#context.accountSid,
      sid: template.sid,
      url: `${this.#urlOf(template)}/ApprovalRequests`,
      whatsapp: {
        allow_category_change: true,
        category: template.category,
        content_type: Object.keys(template.types)[0] ?? '',
        name: template.friendlyName,
        rejection_reason: template.rejectionReason,
        status: template.status,
        type: 'whatsapp',
      },
    };
  }

  #urlOf({ sid }: EmulatedTemplate): string {
    return `${this.#context.server.origin}/v1/Content/${sid}`;
  }
}
