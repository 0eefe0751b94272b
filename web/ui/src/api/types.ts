/** The names of the API's answers as the app uses them; what they hold stands in the schema. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type Kind = 'photo' | 'video' | 'audio';
export type AssetCard = Schemas['AssetCard'];
export type AssetDetail = Schemas['AssetDetail'];
export type AssetPage = Schemas['AssetPage'];
export type AssetShot = Schemas['AssetShot'];
export type AssetTag = Schemas['AssetTag'];
export type Hit = Schemas['HitView'];
export type IndexerStatus = Schemas['IndexerStatus'];
export type Jobs = Schemas['Jobs'];
export type Library = Schemas['LibraryView'];
export type Results = Schemas['SearchResults'];
export type Trouble = Schemas['Trouble'];
export type Verdict = Schemas['Verdict'];
export type Waiting = Schemas['WaitingView'];
