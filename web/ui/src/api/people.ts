/** People and their faces: who is known, what a person says of them, and whether they are looked for. */
import { answer, http } from './client';
import { Problem, problemOf } from './problem';
import type { components } from './schema';

type Schemas = components['schemas'];

export type Box = Schemas['Box'];
export type FaceView = Schemas['FaceView'];
export type PersonCard = Schemas['PersonCard'];
export type PersonChanged = Schemas['PersonChanged'];
export type FacesSettings = Awaited<ReturnType<typeof peopleApi.settings>>;
export type QueueEntry = Awaited<ReturnType<typeof peopleApi.queue>>['entries'][number];
export type AssetFaces = Awaited<ReturnType<typeof peopleApi.inAsset>>;
export type Forgotten = Awaited<ReturnType<typeof peopleApi.forgetAll>>;
export type Which = 'named' | 'unnamed' | 'hidden';

/** Somebody else has that name: perhaps the two are one. */
export class NameTaken extends Problem {
  readonly person: PersonCard;

  constructor(message: string, person: PersonCard) {
    super(message, 409);
    this.person = person;
  }
}

/** Like `answer`, for requests that give a name. Raises `NameTaken`. */
async function named<T>(
  asked: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<T> {
  const { data, error, response } = await asked;
  if (data !== undefined) return data;
  const problem = problemOf(error, response);
  const person = (error as { person?: PersonCard } | undefined)?.person;
  throw response.status === 409 && person ? new NameTaken(problem.message, person) : problem;
}

const at = (person_id: string) => ({ params: { path: { person_id } } });

export const peopleApi = {
  settings: () => answer(http.GET('/api/v1/people/settings')),

  /** Begins to look for faces in a library, or ends it; what was found stays. */
  look: (library_id: string, faces: boolean) =>
    answer(
      http.PUT('/api/v1/people/libraries/{library_id}', {
        params: { path: { library_id } },
        body: { faces },
      }),
    ),

  list: (
    query: { show: Which; q?: string; limit: number; cursor?: string },
    signal?: AbortSignal,
  ) => answer(http.GET('/api/v1/people', { params: { query }, ...(signal && { signal }) })),

  /** Those without a name, one after the other; with a cursor those after it. */
  queue: (cursor: string | null) =>
    answer(
      http.GET('/api/v1/people/queue', {
        params: { query: { limit: 1, ...(cursor !== null && { cursor }) } },
      }),
    ),

  one: (person_id: string) => answer(http.GET('/api/v1/people/{person_id}', at(person_id))),

  faces: (person_id: string, limit: number, cursor: string | null) =>
    answer(
      http.GET('/api/v1/people/{person_id}/faces', {
        params: { path: { person_id }, query: { limit, ...(cursor !== null && { cursor }) } },
      }),
    ),

  /** Faces of nobody that look like this person. */
  suggestions: async (person_id: string, limit: number) =>
    (
      await answer(
        http.GET('/api/v1/people/{person_id}/suggestions', {
          params: { path: { person_id }, query: { limit } },
        }),
      )
    ).faces,

  /** Raises `NameTaken`. */
  change: (person_id: string, body: { name?: string | null; hidden?: boolean }) =>
    named(http.PATCH('/api/v1/people/{person_id}', { ...at(person_id), body })),

  /** Makes these faces a person of their own. Raises `NameTaken`. */
  make: (face_ids: string[], name: string | null) =>
    named(http.POST('/api/v1/people', { body: { face_ids, name } })),

  /** All of them become the first. */
  merge: (person_id: string, people: string[]) =>
    answer(http.POST('/api/v1/people/{person_id}/merge', { ...at(person_id), body: { people } })),

  differ: (person_id: string, people: string[]) =>
    answer(
      http.POST('/api/v1/people/{person_id}/different', { ...at(person_id), body: { people } }),
    ),

  give: (person_id: string, face_ids: string[]) =>
    answer(http.POST('/api/v1/people/{person_id}/faces', { ...at(person_id), body: { face_ids } })),

  undo: (undo: string) => answer(http.POST('/api/v1/people/undo', { body: { undo } })),

  /** Without `confirm` nothing is deleted: it tells what would be. */
  forget: (person_id: string, confirm: boolean) =>
    answer(
      http.DELETE('/api/v1/people/{person_id}', {
        params: { path: { person_id }, query: { confirm } },
      }),
    ),

  forgetAll: (confirm: boolean) =>
    answer(http.DELETE('/api/v1/people', { params: { query: { confirm } } })),

  /** They are not this person; with null they are no faces at all. */
  reject: (face_ids: string[], person_id: string | null) =>
    answer(http.POST('/api/v1/faces/reject', { body: { face_ids, person_id } })),

  inAsset: (asset_id: string) =>
    answer(http.GET('/api/v1/assets/{asset_id}/faces', { params: { path: { asset_id } } })),

  /** A face that was missed. Of a video `at_s` says in which frame. */
  draw: (asset_id: string, body: { box: Box; at_s?: number; person_id?: string; name?: string }) =>
    answer(http.POST('/api/v1/assets/{asset_id}/faces', { params: { path: { asset_id } }, body })),
};

export const cropUrl = (face_id: string): string =>
  `/api/v1/faces/${encodeURIComponent(face_id)}/crop`;
