/** A fetch for SDKs that leave bodies of answers unread, which a test would report as a leak. */
export class TidyFetch {
  readonly #responses: Response[] = [];

  /** Fetches, and remembers the answer. */
  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const response = await fetch(input, init);
    this.#responses.push(response);
    return response;
  };

  /** Lets go of every body that nobody has read. */
  async tidy(): Promise<void> {
    for (const { body, bodyUsed } of this.#responses) {
      if (!bodyUsed && body?.locked === false) await body.cancel();
    }
  }
}
