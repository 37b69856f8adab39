/**
 * The parts of Twilio's SDK that the channels use. They are written out because the SDK's own types do not compile without
 * packages that it does not install (@types/jsonwebtoken).
 */

/** The parameters of Twilio's Messages resource that a code needs. */
export interface TwilioMessageParameters {
  readonly to: string;
  readonly from?: string | undefined;
  readonly messagingServiceSid?: string | undefined;
  /** The sender of an SMS to a phone that RCS does not reach. */
  readonly fallbackFrom?: string | undefined;
  readonly body?: string | undefined;
  readonly contentSid?: string | undefined;
  /** JSON. */
  readonly contentVariables?: string | undefined;
  /** Whether characters outside GSM-7 are replaced by similar ones in it. */
  readonly smartEncoded?: boolean | undefined;
  readonly contentRetention?: 'retain' | 'discard' | undefined;
  readonly addressRetention?: 'retain' | 'obfuscate' | undefined;
  /** Seconds. */
  readonly validityPeriod?: number | undefined;
  readonly provideFeedback?: boolean | undefined;
  readonly statusCallback?: string | undefined;
}

/** The parameters of Twilio's Calls resource that a code needs. */
export interface TwilioCallParameters {
  readonly to: string;
  readonly from: string;
  /** Inline TwiML. */
  readonly twiml: string;
  /** Seconds of ringing. */
  readonly timeout?: number;
  readonly statusCallback?: string;
  readonly statusCallbackEvent?: string[];
}

/** The parameters of Verify's Verifications resource that a code needs. */
export interface TwilioVerificationParameters {
  readonly to: string;
  /** `sms`, `call` or `whatsapp`. */
  readonly channel: string;
  readonly customCode?: string | undefined;
  /** One of the locales that Verify supports. */
  readonly locale?: string | undefined;
  readonly riskCheck?: 'enable' | 'disable' | undefined;
  /** The user's IP address. */
  readonly deviceIp?: string | undefined;
}

/** The SDK's client, as `TwilioPort.call` passes it to its action. */
export interface TwilioClient {
  /** WhatsApp and SMS. Called with a SID, it is the message with that SID. */
  readonly messages: {
    /** Sends a message. */
    create(parameters: TwilioMessageParameters): Promise<unknown>;
    (sid: string): {
      /** Reads its status. */
      fetch(): Promise<unknown>;
      /** Feedback about the code in the message. */
      readonly feedback: {
        /** Reports to Twilio whether the code was used. */
        create(parameters: { readonly outcome: 'confirmed' }): Promise<unknown>;
      };
    };
  };
  readonly calls: {
    /** Calls a phone. */
    create(parameters: TwilioCallParameters): Promise<unknown>;
  };
  readonly lookups: {
    readonly v2: {
      /** A phone number, E.164. */
      phoneNumbers(number: string): {
        /** What Twilio knows of it. Each field is billed. */
        fetch(parameters: { readonly fields: string }): Promise<unknown>;
      };
    };
  };
  readonly verify: {
    readonly v2: {
      /** The Verify service with this SID. */
      services(sid: string): {
        /** Its settings. */
        fetch(): Promise<unknown>;
        /** Called with a SID, it is the verification with that SID. */
        readonly verifications: {
          /** Sends a code. */
          create(parameters: TwilioVerificationParameters): Promise<unknown>;
          (sid: string): {
            /** Reports to Twilio that the code was used. */
            update(parameters: { readonly status: 'approved' }): Promise<unknown>;
          };
        };
      };
    };
  };
}

/** The SDK's TwiML builder. */
export interface TwimlBuilder {
  readonly VoiceResponse: new () => {
    /** Speaks a text. */
    say(
      attributes: { readonly language?: string | undefined; readonly voice?: string | undefined },
      text: string,
    ): unknown;
    /** Pauses for this many seconds. */
    pause(attributes: { readonly length: number }): unknown;
    /** The TwiML. */
    toString(): string;
  };
}
