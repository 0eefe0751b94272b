export type Kind = 'photo' | 'video' | 'audio';
export interface AssetCard {
  id: string;
  kind: Kind;
  path: string;
  name: string;
  library_id: string | null;
  available: boolean;
  version: string;
  width_px: number | null;
  height_px: number | null;
  duration_s: number | null;
  captured_local: string | null;
  rating: number | null;
  title: string | null;
  thumbhash: string | null;
  stack_id: string | null;
  stack_size: number;
}
export interface FileView {
  library_id: string;
  library: string;
  library_state: string;
  path: string;
  state: string;
  error: string | null;
  size_bytes: number;
  modified_at: string;
  missing_at: string | null;
  asset_id: string | null;
}
export type Verdict = 'approved' | 'rejected' | null;
export interface Tag {
  word: string;
  vocabulary: string;
  source: string;
  score: number;
  verdict: Verdict;
  start_s: number | null;
  end_s: number | null;
}
export interface Shot {
  start_s: number;
  end_s: number;
  best_s: number;
  first_frame: number | null;
  end_frame: number | null;
}
export interface Run {
  id: string;
  indexer: string;
  version: number;
  model: string | null;
  state: string;
  error: string | null;
  attempts: number;
  finished_at: string | null;
}
export interface Asset extends AssetCard {
  revision: number;
  content_hash: string;
  size_bytes: number;
  format: string;
  codec: string | null;
  frame_rate: string | null;
  has_audio: boolean | null;
  captured_at: string | null;
  captured_offset_min: number | null;
  camera: string | null;
  lens: string | null;
  latitude: number | null;
  longitude: number | null;
  place: string | null;
  country: string | null;
  caption: string | null;
  label: string | null;
  details: Record<string, unknown>;
  previews: string;
  previews_reason: string | null;
  files: FileView[];
  tags: Tag[];
  shots: Shot[];
  runs: Run[];
  stack: { id: string; reason: string; cover_id: string; members: AssetCard[] } | null;
}
export interface AssetPage {
  assets: AssetCard[];
  next_cursor: string | null;
  total: number | null;
}
export interface Moment {
  start_s: number;
  end_s: number;
  score: number;
  channel: string;
}
export interface Hit {
  asset_id: string;
  path: string;
  kind: Kind;
  score: number;
  moments: Moment[];
  why: string[];
}
export interface Waiting {
  indexer: string;
  reason: string;
}
export interface Results {
  results: Hit[];
  waiting: Waiting[];
}
export interface Library {
  id: string;
  name: string;
  path: string;
  state: string;
  state_reason: string | null;
  created_at: string;
  scanned_at: string | null;
  files: { present: number; missing: number; unreadable: number };
}
export interface RunCounts {
  pending: number;
  leased: number;
  done: number;
  failed: number;
  quarantined: number;
  waiting: number;
}
export interface Jobs {
  idle: boolean;
  indexers: Record<string, RunCounts>;
  waiting: Waiting[];
}
export interface FailedRun {
  id: string;
  asset_id: string;
  path: string;
  kind: Kind;
  indexer: string;
  state: string;
  error: string | null;
  attempts: number;
  finished_at: string | null;
}
