/** A message as the SDK takes it: the parameters of Twilio's Messages resource that a code needs. */
export interface TwilioMessageParameters {
  readonly to: string;
  readonly from?: string | undefined;
  readonly messagingServiceSid?: string | undefined;
  readonly body?: string | undefined;
  readonly contentSid?: string | undefined;
  /** JSON. */
  readonly contentVariables?: string | undefined;
  /** Seconds. */
  readonly validityPeriod?: number | undefined;
  readonly provideFeedback?: boolean | undefined;
  readonly statusCallback?: string | undefined;
}

/** A call as the SDK takes it: the parameters of Twilio's Calls resource that a code needs. */
export interface TwilioCallParameters {
  readonly to: string;
  readonly from: string;
  /** TwiML, inline: its text, or what the SDK builds it with. */
  readonly twiml?:
    | string
    | {
        /** The text. */
        toString(): string;
      }
    | undefined;
  /** Where the TwiML is fetched, in its place. */
  readonly url?: string | undefined;
  /** Seconds of ringing. */
  readonly timeout?: number | undefined;
  readonly statusCallback?: string | undefined;
  readonly statusCallbackEvent?: string[] | undefined;
}

/** A verification as the SDK takes it: the parameters of Verify's Verifications resource that a code needs. */
export interface TwilioVerificationParameters {
  readonly to: string;
  /** `sms`, `call` or `whatsapp`. */
  readonly channel: string;
  readonly customCode?: string | undefined;
  /** One of Verify's own. */
  readonly locale?: string | undefined;
  readonly riskCheck?: 'enable' | 'disable' | undefined;
}

/**
 * The SDK's client as far as a channel needs it; what `TwilioConnection.call` hands to its action. Written out,
 * because the SDK's own types do not compile without packages that it does not install (@types/jsonwebtoken).
 */
export interface TwilioClient {
  /** WhatsApp and SMS; called with a SID, the one of that SID. */
  readonly messages: {
    /** Sends one. */
    create(parameters: TwilioMessageParameters): Promise<unknown>;
    (sid: string): {
      /** Asks what became of it. */
      fetch(): Promise<unknown>;
      /** What became of the code in it. */
      readonly feedback: {
        /** Tells Twilio whether the code was used. */
        create(parameters: { readonly outcome: 'confirmed' | 'unconfirmed' }): Promise<unknown>;
      };
    };
  };
  /** Called with a SID, the one of that SID. */
  readonly calls: {
    /** Calls a phone. */
    create(parameters: TwilioCallParameters): Promise<unknown>;
    (sid: string): {
      /** Asks what became of it. */
      fetch(): Promise<unknown>;
    };
  };
  /** What an account says of itself, for those who look whether it can send. */
  readonly api: {
    readonly v2010: {
      /** The account of that SID. */
      accounts(sid: string): {
        /** Whether it is active, and a trial. */
        fetch(): Promise<unknown>;
        readonly balance: {
          /** What is left to spend. */
          fetch(): Promise<unknown>;
        };
        readonly incomingPhoneNumbers: {
          /** The account's own numbers, and what each can do. */
          page(parameters: { readonly phoneNumber: string; readonly pageSize: number }): Promise<unknown>;
        };
        readonly outgoingCallerIds: {
          /** Numbers of others that the account has verified. */
          page(parameters: { readonly phoneNumber: string; readonly pageSize: number }): Promise<unknown>;
        };
      };
    };
  };
  readonly content: {
    readonly v1: {
      /** The template of that SID. */
      contents(sid: string): {
        /** What is in it. */
        fetch(): Promise<unknown>;
        /** WhatsApp's approval of it. */
        approvalFetch(): {
          /** Whether WhatsApp lets it be sent. */
          fetch(): Promise<unknown>;
        };
      };
    };
  };
  readonly messaging: {
    readonly v1: {
      /** The Messaging Service of that SID. */
      services(sid: string): {
        /** Whether it is there. */
        fetch(): Promise<unknown>;
        readonly phoneNumbers: {
          /** The numbers that it sends from. */
          page(parameters: { readonly pageSize: number }): Promise<unknown>;
        };
      };
    };
  };
  readonly verify: {
    readonly v2: {
      /** The Verify service of that SID. */
      services(sid: string): {
        /** What it allows. */
        fetch(): Promise<unknown>;
        /** Called with a SID, the one of that SID. */
        readonly verifications: {
          /** Sends a code. */
          create(parameters: TwilioVerificationParameters): Promise<unknown>;
          (sid: string): {
            /** Tells Twilio that the code was used. */
            update(parameters: { readonly status: 'approved' }): Promise<unknown>;
          };
        };
      };
    };
  };
}

/** The SDK's builder of TwiML as far as a channel needs it, written out for the same reason. */
export interface TwimlBuilder {
  readonly VoiceResponse: new () => {
    /** Speaks a text. */
    say(
      attributes: { readonly language?: string | undefined; readonly voice?: string | undefined },
      text: string,
    ): unknown;
    /** Is silent for so many seconds. */
    pause(attributes: { readonly length: number }): unknown;
    /** The TwiML. */
    toString(): string;
  };
}
