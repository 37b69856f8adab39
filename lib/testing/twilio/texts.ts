/**
 * The texts of Twilio and WhatsApp in one language, with `{code}`, `{service}` and `{minutes}`. They stand for the
 * real ones and are not copied from them.
 */
interface PresetWords {
  /** WhatsApp's authentication template. */
  readonly isCode: string;
  readonly keepSecret: string;
  readonly expires: string;
  /** Verify's message. */
  readonly verifyText: string;
  /** Verify's call. */
  readonly verifyCall: string;
}

const ENGLISH: PresetWords = {
  isCode: '{code} is your verification code.',
  keepSecret: 'For your security, do not share this code.',
  expires: 'This code expires in {minutes} minutes.',
  verifyText: 'Your {service} verification code is: {code}',
  verifyCall: 'Your verification code is: {code}.',
};

const PRESETS: Readonly<Record<string, PresetWords>> = {
  es: {
    isCode: '{code} es tu código de verificación.',
    keepSecret: 'Por tu seguridad, no lo compartas.',
    expires: 'Este código caduca en {minutes} minutos.',
    verifyText: 'Tu código de verificación para {service} es: {code}',
    verifyCall: 'Tu código de verificación es: {code}.',
  },
  fr: {
    isCode: '{code} est votre code de vérification.',
    keepSecret: 'Pour votre sécurité, ne le partagez pas.',
    expires: 'Ce code expire dans {minutes} minutes.',
    verifyText: 'Votre code de vérification pour {service} est : {code}',
    verifyCall: 'Votre code de vérification est : {code}.',
  },
  de: {
    isCode: '{code} ist dein Bestätigungscode.',
    keepSecret: 'Gib diesen Code zu deiner Sicherheit nicht weiter.',
    expires: 'Dieser Code läuft in {minutes} Minuten ab.',
    verifyText: 'Dein Bestätigungscode für {service} lautet: {code}',
    verifyCall: 'Dein Bestätigungscode lautet: {code}.',
  },
  pt: {
    isCode: '{code} é o seu código de verificação.',
    keepSecret: 'Para sua segurança, não o compartilhe.',
    expires: 'Este código expira em {minutes} minutos.',
    verifyText: 'Seu código de verificação para {service} é: {code}',
    verifyCall: 'Seu código de verificação é: {code}.',
  },
  it: {
    isCode: '{code} è il tuo codice di verifica.',
    keepSecret: 'Per la tua sicurezza, non condividerlo.',
    expires: 'Questo codice scade tra {minutes} minuti.',
    verifyText: 'Il tuo codice di verifica per {service} è: {code}',
    verifyCall: 'Il tuo codice di verifica è: {code}.',
  },
  nl: {
    isCode: '{code} is je verificatiecode.',
    keepSecret: 'Deel deze code voor je veiligheid met niemand.',
    expires: 'Deze code verloopt over {minutes} minuten.',
    verifyText: 'Je verificatiecode voor {service} is: {code}',
    verifyCall: 'Je verificatiecode is: {code}.',
  },
  ja: {
    isCode: '認証コードは {code} です。',
    keepSecret: '安全のため、誰にも教えないでください。',
    expires: 'このコードは{minutes}分で無効になります。',
    verifyText: '{service} の認証コード: {code}',
    verifyCall: '認証コードは {code} です。',
  },
  hi: {
    isCode: '{code} आपका सत्यापन कोड है।',
    keepSecret: 'अपनी सुरक्षा के लिए इसे किसी को न बताएँ।',
    expires: 'यह कोड {minutes} मिनट में समाप्त होगा।',
    verifyText: '{service} के लिए आपका सत्यापन कोड है: {code}',
    verifyCall: 'आपका सत्यापन कोड है: {code}',
  },
  ar: {
    isCode: '{code} هو رمز التحقق الخاص بك.',
    keepSecret: 'لأمانك، لا تشاركه مع أحد.',
    expires: 'تنتهي صلاحية هذا الرمز خلال {minutes} دقائق.',
    verifyText: 'رمز التحقق الخاص بك لـ {service} هو: {code}',
    verifyCall: 'رمز التحقق الخاص بك هو: {code}',
  },
};

/** A sentence in a language, `pt_BR` and `pt-BR` alike; English for those that are not in the table. */
export function presetSentence(
  language: string,
  sentence: keyof PresetWords,
  values: Readonly<Record<string, string | number>> = {},
): string {
  const base = language.split(/[-_]/)[0] ?? '';
  const words = (Object.hasOwn(PRESETS, base) ? PRESETS[base] : undefined) ?? ENGLISH;
  return words[sentence].replace(/\{(\w+)\}/g, (_whole, name: string) => String(values[name] ?? ''));
}
