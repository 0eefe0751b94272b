/** The names of the API's answers as the app uses them; what they hold stands in the schema. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type Kind = 'photo' | 'video' | 'audio';
export type AssetCard = Schemas['AssetCard'];
export type AssetDetail = Schemas['AssetDetail'];
export type AssetPage = Schemas['AssetPage'];
export type AssetShot = Schemas['AssetShot'];
export type AssetTag = Schemas['AssetTag'];
export type HeardEvent = Schemas['HeardEvent'];
export type Hit = Schemas['HitView'];
export type IndexerStatus = Schemas['IndexerStatus'];
export type Jobs = Schemas['Jobs'];
export type Country = Schemas['Country'];
export type Folder = Schemas['Folder'];
export type FolderChoice = Schemas['FolderChoice'];
export type FolderListing = Schemas['FolderListing'];
export type Library = Schemas['LibraryView'];
export type Place = Schemas['Place'];
export type QueryPart = Schemas['QueryPart'];
export type Reading = Schemas['Reading'];
export type Removal = Schemas['RemovalView'];
export type Results = Schemas['SearchResults'];
/** Kinds of values that can be suggested; each is the name of the filter it belongs to. */
export type SuggestionKind = 'tag' | 'place' | 'camera' | 'folder';
export type SpokenLine = Schemas['SpokenLine'];
export type Transcript = Schemas['Transcript'];
export type Suggestion = Omit<Schemas['Suggestion'], 'kind'> & { kind: SuggestionKind };
export type Trouble = Schemas['Trouble'];
export type Verdict = Schemas['Verdict'];
export type Waiting = Schemas['WaitingView'];
export type WrittenLine = Schemas['WrittenLine'];
