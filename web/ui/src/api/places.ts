/** Where assets were taken. */
import { answer, http } from './client';
import type { Country } from './types';

export async function fetchPlaces(): Promise<Country[]> {
  return (await answer(http.GET('/api/v1/places'))).countries;
}
