/** What went wrong, in the words of the server (RFC 9457 problem details) or of the network. */

export class Problem extends Error {
  /** HTTP status; 0 when no answer came at all. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.name = 'Problem';
    this.status = status;
  }

  get unreachable(): boolean {
    return this.status === 0;
  }
}

interface Details {
  title?: string;
  detail?: string;
  errors?: Record<string, string[]>;
}

export function problemOf(body: unknown, response: Response): Problem {
  const details: Details = typeof body === 'object' && body !== null ? body : {};
  const fields = Object.entries(details.errors ?? {}).map(
    ([name, messages]) => `${name}: ${messages.join(', ')}`,
  );
  const sentence = fields.length ? fields.join('; ') : (details.detail ?? details.title);
  return new Problem(sentence || `The server answered ${response.status}.`, response.status);
}

/** The words of a refusal, for people. Anything but a `Problem` is a bug and is raised again. */
export function refusalOf(error: unknown): string {
  if (!(error instanceof Problem)) throw error;
  return error.message;
}
