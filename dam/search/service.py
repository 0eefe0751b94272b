"""A query → ranked assets with their best moments and reasons. The only entry to the search.

Every hit is joined with SQL before it leaves: what was deleted, trashed, filtered away or has no
present file drops out, whatever an index says. Nothing here writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from dam.errors import BadRequest
from dam.search.asking import Asking, Spaces
from dam.search.explain import clock, reasons
from dam.search.facts import Facts, facts_of, newest, shots_of
from dam.search.filters import Condition, conditions, file_conditions, restricted, says
from dam.search.fuse import OTHER_DATE, SENTENCE, fused, perceived, rounded, text_confidence
from dam.search.heard import EventHit, event_hits, together
from dam.search.moments import best_moments, moments_of
from dam.search.paraphrases import WORTH, Meant, quoted, with_paraphrases
from dam.search.parse import parse
from dam.search.passages import passage_moments
from dam.search.pictures import KeptPictures
from dam.search.query import Channel, Hit, Moment, Query, Results
from dam.search.senses import SOUND, VISUAL, WORDS
from dam.search.spaces import SpaceChannel
from dam.search.text import TextHit, text_hits
from dam.search.unanswered import pending
from dam.trash import trashed_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Select

    from dam.config import Settings
    from dam.contracts import QueryEncoder
    from dam.db import Database
    from dam.search.query import Waiting
    from dam.search.spaces import VectorHit

LARGEST = 10_000  # results of one query
PER_RESULT = 8  # frames asked of the index for every wanted asset: a video has many
FRAMES = (200, 20_000)  # at least and at most
IN_PERIOD = 0.9  # of an asset taken at a date that is all that was asked for


@dataclass(slots=True)
class _Candidate:
    asset_id: str
    frames: list[VectorHit] = field(default_factory=list)
    sounds: list[VectorHit] = field(default_factory=list)
    events: list[EventHit] = field(default_factory=list)
    meant: list[VectorHit] = field(default_factory=list)
    text: TextHit | None = None
    is_in_other_words: bool = False  # what it says is nearer than the words that it holds
    in_period: bool = False
    visual: float = 0.0
    sound: float = 0.0
    written: float = 0.0
    score: float = 0.0


class SearchService:
    """One for a process; safe to share between threads. `encoder` opens the query encoder of what
    pictures show, `sound` that of what is heard, `words` that of what is said and written; they may
    raise `WeightsUnavailable`: names, metadata and dates then answer alone."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        encoder: Callable[[], QueryEncoder] | None,
        *,
        sound: Callable[[], QueryEncoder] | None = None,
        words: Callable[[], QueryEncoder] | None = None,
        today: Callable[[], date] = date.today,
    ) -> None:
        self._database = database
        self._spaces = Spaces(
            visual=SpaceChannel(database, settings, VISUAL, encoder),
            sound=SpaceChannel(database, settings, SOUND, sound),
            words=SpaceChannel(database, settings, WORDS, words),
        )
        self._today = today
        self.pictures = KeptPictures(settings.cache_path / "pictures")

    def search(self, query: Query) -> Results:
        """Raises `BadRequest` for a malformed query, `NotFound` for an unknown `like_asset` or
        `like_picture`."""
        if not 0 < query.limit <= LARGEST:
            raise BadRequest(f"The limit must lie between 1 and {LARGEST}.")
        parsed = parse(query.text, today=self._today())
        with self._database.read() as session:
            asking = Asking(session, self._spaces, self.pictures, query, parsed)
            return _Search(asking).results()


class _Search:
    """One query in one consistent snapshot of the database."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._session = asking.session
        self._query = query = asking.query
        self._parsed = parsed = asking.parsed
        self._conditions: list[Condition] = [
            *conditions(parsed.filters),
            *conditions(query.filters),
            *(says(phrase) for phrase in parsed.phrases),
            *(~says(word) for word in parsed.excluded),
        ]
        self._within: Select[str] | None = restricted(self._conditions)
        self._passing: set[str] | None = None  # the assets of `_within`, read once
        self._worth: dict[str, float] = {}

    def results(self) -> Results:
        is_like = self._query.is_like
        if self._parsed.is_empty and not is_like:
            return Results(self._listing(), self._pending())
        if self._within is not None:
            self._passing = set(self._session.scalars(self._within))
        candidates: dict[str, _Candidate] = {}
        if not is_like:
            self._add_text(candidates)
            self._add_period(candidates)
        hits = self._with_vectors(candidates)
        return Results(hits, self._asking.waiting + self._pending(), self._asking.model)

    def _pending(self) -> list[Waiting]:
        spaces = self._asking.spaces
        return [one for space in spaces for one in pending(self._session, space.sense)]

    # Candidates ---------------------------------------------------------------------------

    def _add_text(self, candidates: dict[str, _Candidate]) -> None:
        found, self._worth = text_hits(
            self._session,
            self._parsed.words,
            self._parsed.whole,
            within=self._passing,
            without=trashed_ids(self._session),
        )
        for asset_id, hit in found.items():
            candidates[asset_id] = _Candidate(asset_id, text=hit)

    def _add_period(self, candidates: dict[str, _Candidate]) -> None:
        if self._parsed.is_only_period:
            for asset_id in newest(
                self._session,
                self._query.limit,
                conditions=self._conditions,
                period=self._parsed.period,
            ):
                candidates.setdefault(asset_id, _Candidate(asset_id))

    def _with_vectors(self, candidates: dict[str, _Candidate]) -> list[Hit]:
        """Asks for more vectors until enough of their assets pass the filters and have a file."""
        asked = self._asking.queries()
        events = self._named_events()
        if not asked and not events:
            return self._hits(candidates)
        vectors = min(max(PER_RESULT * self._query.limit, FRAMES[0]), FRAMES[1])
        while True:
            everything = {
                asset_id: _Candidate(asset_id, text=known.text)
                for asset_id, known in candidates.items()
            }
            found = {
                channel: channel.search(
                    self._session, queries, fingerprint, vectors, within=self._within
                )
                for channel, (queries, fingerprint) in asked.items()
            }
            spaces = self._asking.spaces
            sounds = together(found.get(spaces.sound, []), events)
            self._spread(everything, found.get(spaces.visual, []), sounds, events)
            for hit in found.get(spaces.words, []):
                everything.setdefault(hit.asset_id, _Candidate(hit.asset_id)).meant.append(hit)
            hits = self._hits(everything)
            enough = len(hits) >= self._query.limit or vectors >= FRAMES[1]
            if enough or all(
                channel.is_exhausted(vectors, len(hits_of)) for channel, hits_of in found.items()
            ):
                return hits
            vectors = min(4 * vectors, FRAMES[1])

    def _spread(
        self,
        candidates: dict[str, _Candidate],
        frames: Sequence[VectorHit],
        sounds: Sequence[VectorHit],
        events: Sequence[EventHit],
    ) -> None:
        """Gives each asset what was seen and heard of it."""

        def of(asset_id: str) -> _Candidate:
            return candidates.setdefault(asset_id, _Candidate(asset_id))

        for hit in frames:
            of(hit.asset_id).frames.append(hit)
        for hit in sounds:
            of(hit.asset_id).sounds.append(hit)
        for event in events:
            of(event.asset_id).events.append(event)
        candidates.pop(self._query.like_asset or "", None)

    def _named_events(self) -> list[EventHit]:
        if not (self._asking.is_by_words and self._asking.may_be_heard):
            return []
        return event_hits(self._session, self._parsed.words, within=self._within)

    # Ranking ------------------------------------------------------------------------------

    def _hits(self, candidates: dict[str, _Candidate]) -> list[Hit]:
        facts = facts_of(
            self._session,
            list(candidates),  # all of them pass the filters
            file_conditions=[
                *file_conditions(self._parsed.filters),
                *file_conditions(self._query.filters),
            ],
            preferred={
                asset_id: known.text.file_id
                for asset_id, known in candidates.items()
                if known.text is not None and known.text.file_id is not None
            },
        )
        present = [candidates[asset_id] for asset_id in candidates if asset_id in facts]
        self._score(present, facts)
        present.sort(
            key=lambda known: (
                -rounded(known.score),
                -(facts[known.asset_id].captured_us or -(2**62)),
                known.asset_id,
            )
        )
        best = present[: self._query.limit]
        shots = shots_of(self._session, [known.asset_id for known in best if known.frames])
        meant = quoted(self._session, {hit.asset_id: hit.meant for hit in best if hit.meant})
        return [
            self._hit(
                known,
                facts[known.asset_id],
                shots.get(known.asset_id, ()),
                meant.get(known.asset_id, []),
            )
            for known in best
        ]

    def _score(self, candidates: Sequence[_Candidate], facts: dict[str, Facts]) -> None:
        period = self._parsed.period
        for known in candidates:
            captured_local = facts[known.asset_id].captured_local
            known.in_period = period is not None and period.contains(captured_local)
            known.visual = max((frame.confidence for frame in known.frames), default=0.0)
            known.sound = max((heard.confidence for heard in known.sounds), default=0.0)
            # A model's tags come from the same vectors as the visual channel: in a sentence they
            # would count one opinion twice.
            with_model_tags = not known.frames or len(self._parsed.words) < SENTENCE
            known.written = (
                text_confidence(known.text.matches, self._worth, with_model_tags=with_model_tags)
                if known.text
                else 0.0
            )
            # The same line may hold the words and mean them: the surer of the two counts.
            likeliest = max((hit.confidence for hit in known.meant), default=0.0)
            known.is_in_other_words = WORTH * likeliest > known.written
            known.written = max(known.written, WORTH * likeliest)
            if known.in_period and self._parsed.is_only_period:
                known.written = max(known.written, IN_PERIOD)
            known.score = fused(perceived(known.visual, known.sound), known.written)
        if any(known.in_period for known in candidates):
            for known in candidates:
                known.score *= 1.0 if known.in_period else OTHER_DATE

    # Answers ------------------------------------------------------------------------------

    def _hit(
        self,
        known: _Candidate,
        facts: Facts,
        shots: Sequence[tuple[int, int]],
        meant: Sequence[Meant],
    ) -> Hit:
        matches = known.text.matches if known.text else []
        seen = moments_of(known.frames, shots) if known.frames else []
        heard = moments_of(known.sounds, channel=Channel.SOUND) if known.sounds else []
        said = passage_moments(known.text.passages) if known.text else []
        moments = best_moments(seen, heard, with_paraphrases(said, meant))
        if not moments:
            tags_only = matches and all(match.channel is Channel.TAGS for match in matches)
            channel = Channel.TAGS if tags_only else Channel.TEXT if matches else Channel.DATES
            moments = [Moment(None, None, known.score, channel)]
        why = reasons(
            facts.kind,
            shown=self._shown(),
            visual=known.visual,
            text=known.written,
            moments=seen,
            matches=matches,
            sound=known.sound,
            heard=heard,
            events=known.events,
            meant=meant,
            is_in_other_words=known.is_in_other_words,
            period=self._parsed.period if known.in_period else None,
            words=self._parsed.words,
        )
        return _hit_of(facts, known.score, moments, why)

    def _shown(self) -> str:
        if self._query.like_asset is not None:
            at_s = self._query.like_at_s
            names = ("recording", "sound") if self._asking.is_like_sound else ("picture", "frame")
            whole, part = names
            return f"the chosen {whole}" if at_s is None else f"the chosen {part} at {clock(at_s)}"
        return "the given picture" if self._query.is_like else f"“{self._parsed.sentence}”"

    def _listing(self) -> list[Hit]:
        """No words: everything that passes the filters, the newest first."""
        listed = newest(self._session, self._query.limit, conditions=self._conditions)
        facts = facts_of(
            self._session,
            listed,
            file_conditions=[
                *file_conditions(self._parsed.filters),
                *file_conditions(self._query.filters),
            ],
        )
        why = ["matches the filters"] if self._conditions else ["everything, newest first"]
        return [
            _hit_of(facts[asset_id], 1.0, [Moment(None, None, 1.0, Channel.TEXT)], why)
            for asset_id in listed
            if asset_id in facts
        ]


def _hit_of(facts: Facts, score: float, moments: list[Moment], why: list[str]) -> Hit:
    return Hit(
        facts.asset_id,
        facts.path,
        facts.kind,
        rounded(score),
        moments,
        why,
        width_px=facts.width_px,
        height_px=facts.height_px,
        duration_s=None if facts.duration_us is None else facts.duration_us / 1e6,
        captured_local=facts.captured_local,
        offline=facts.offline,
        thumbhash=facts.thumbhash,
    )
