"""Tags: every word in use, one word to look through, decisions about many at once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self

from apiflask import APIBlueprint
from pydantic import Field, model_validator

from dam.assets import US_PER_S, AssetCard, cards_of, read_cursor, write_cursor
from dam.changes import Changed
from dam.errors import BadRequest
from dam.store import SUGGESTED
from dam.tables import Verdict
from dam.tag_changes import Matching, decide_all, delete_word, matching_assets, rename_word
from dam.tag_words import (
    Reviewed,
    Suggestions,
    WordState,
    WordSummary,
    decided_on,
    suggested_on,
    summarise_words,
)
from dam.teaching import (
    Taught,
    describe_taught,
    forget_taught,
    nearest_examples,
    taught_words,
    teach,
)
from web.api.assets import MOST_CHANGED, AssetId, TagDecisionBody
from web.filters import FilterQuery
from web.services import services
from web.shapes import Limit, Page, Request, answer

bp = APIBlueprint("tags", __name__, url_prefix="/tags", tag="Tags")
Word = Annotated[str, Field(min_length=1, max_length=200)]
Confidence = Annotated[float, Field(ge=0, le=1)]
AssetIds = Annotated[list[AssetId], Field(min_length=1, max_length=MOST_CHANGED)]


class Order(StrEnum):
    NAME = "name"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class TagWords:
    tags: list[WordSummary]
    next_cursor: str | None
    total: int


@dataclass(frozen=True, slots=True)
class ReviewItem:
    asset: AssetCard
    score: float | None  # confidence of the suggestion; nothing where no model says it
    producer: str | None  # who suggests it
    start_s: float | None  # where in a video it is seen best


@dataclass(frozen=True, slots=True)
class TagReview:
    items: list[ReviewItem]
    next_cursor: str | None
    total: int


@dataclass(frozen=True, slots=True)
class SelectedTags:
    tags: list[WordSummary]


@dataclass(frozen=True, slots=True)
class MatchCount:
    assets: int


class TagsQuery(Page):
    q: Annotated[str, Field(max_length=200)] = Field("", description="Part of the word.")
    order: Order = Order.COUNT


class ReviewQuery(Page):
    word: Word
    state: WordState = WordState.SUGGESTED
    limit: Limit = 100


class SelectedBody(Request):
    asset_ids: AssetIds


class SuggestionsBody(Request):
    word: Word
    least: Confidence = Field(SUGGESTED, description="Only from this confidence on.")
    below: Confidence | None = Field(None, description="Only below this confidence.")


class FiltersBody(FilterQuery):
    """The filters of `GET /assets`."""


class MatchingBody(Request):
    """All that match: a query as typed, filters, and suggestions of a word, all of them given."""

    q: Annotated[str, Field(max_length=2000)] = ""
    filters: FiltersBody | None = None
    suggested: SuggestionsBody | None = Field(
        None, description="Only where this word is suggested and undecided."
    )

    @model_validator(mode="after")
    def _narrows(self) -> Self:
        if not (self.q.strip() or self.filters or self.suggested):
            raise ValueError("say what shall match: q, filters or suggested")
        return self

    @property
    def matching(self) -> Matching:
        given = self.suggested
        suggested = Suggestions(given.word, given.least, given.below) if given else None
        filters = self.filters or FiltersBody.model_validate({})
        return Matching(self.q, filters.filters, suggested)


class DecideBody(Request):
    tags: Annotated[list[TagDecisionBody], Field(min_length=1, max_length=500)]
    asset_ids: AssetIds | None = None
    matching: MatchingBody | None = None

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if (self.asset_ids is None) == (self.matching is None):
            raise ValueError("give either asset_ids or matching")
        return self


class RenameBody(Request):
    word: Word
    to: Word
    merge: bool = Field(False, description="`to` may be in use: both become one tag.")


class DeleteBody(Request):
    word: Word


class TeachBody(Request):
    word: Word


@dataclass(frozen=True, slots=True)
class TaughtAnswer:
    taught: Taught
    undo: str  # what `POST /assets/bulk/undo` wants


@dataclass(frozen=True, slots=True)
class TaughtTags:
    taught: list[Taught]


@dataclass(frozen=True, slots=True)
class Example:
    asset: AssetCard
    cosine: float


@dataclass(frozen=True, slots=True)
class NearestExamples:
    examples: list[Example]  # at most three, the likest first


class NearestQuery(Request):
    word: Word
    asset_id: AssetId


@bp.get("")
@bp.input(TagsQuery, location="query")
@bp.output(answer(TagWords))
def list_tags(query_data: TagsQuery) -> TagWords:
    """List every tag, with how often it is suggested, approved, rejected and in files."""
    with services().database.read() as session:
        words = list(summarise_words(session).values())
    typed = query_data.q.strip().casefold()
    wanted = sorted(
        (_place(one, query_data.order), one.word) for one in words if _holds(one, typed)
    )
    total = len(wanted)
    if query_data.cursor:
        after = _place_after(query_data.cursor)
        wanted = [place for place in wanted if place > after]
    shown = wanted[: query_data.limit]
    following = write_cursor(list(shown[-1])) if len(wanted) > len(shown) else None
    by_word = {one.word: one for one in words}
    return TagWords([by_word[word] for _, word in shown], following, total)


@bp.get("/review")
@bp.input(ReviewQuery, location="query")
@bp.output(answer(TagReview))
def review(query_data: ReviewQuery) -> TagReview:
    """List the assets of one tag: suggested ones surest first, decided ones newest first."""
    with services().database.read() as session:
        if query_data.state is WordState.SUGGESTED:
            found = list(suggested_on(session, Suggestions(query_data.word)).values())
        else:
            found = decided_on(session, query_data.word, Verdict(query_data.state))
        total = len(found)
        if query_data.cursor:
            after = _place_after(query_data.cursor)
            found = [one for one in found if _position(one) > after]
        shown = found[: query_data.limit]
        cards = {card.id: card for card in cards_of(session, [one.asset_id for one in shown])}
    following = write_cursor(list(_position(shown[-1]))) if len(found) > len(shown) else None
    return TagReview([_item(one, cards[one.asset_id]) for one in shown], following, total)


@bp.post("/selected")
@bp.input(SelectedBody)
@bp.output(answer(SelectedTags))
@bp.doc(responses={413: "The list of ids is too long."})
def list_selected(json_data: SelectedBody) -> SelectedTags:
    """List the tags of some assets, with on how many of them they are suggested and decided."""
    with services().database.read() as session:
        words = summarise_words(session, among=list(dict.fromkeys(json_data.asset_ids)))
    return SelectedTags(
        sorted(words.values(), key=lambda one: (_place(one, Order.COUNT), one.word))
    )


@bp.post("/matching")
@bp.input(MatchingBody)
@bp.output(answer(MatchCount))
def count_matching(json_data: MatchingBody) -> MatchCount:
    """Count the assets that `POST /tags/decide` would take, before it does."""
    return MatchCount(len(_matching(json_data)))


@bp.post("/decide")
@bp.input(DecideBody)
@bp.output(answer(Changed))
@bp.doc(responses={413: "The list of ids is too long."})
def decide(json_data: DecideBody) -> Changed:
    """Approve, reject or reset tags on many assets. Undone by `POST /assets/bulk/undo`."""
    verdicts = {tag.word: tag.verdict for tag in json_data.tags}
    matching = json_data.matching
    asset_ids = json_data.asset_ids if matching is None else _matching(matching)
    return decide_all(services().database, asset_ids or [], verdicts)


@bp.post("/rename")
@bp.input(RenameBody)
@bp.output(answer(Changed))
@bp.doc(responses={404: "There is no such tag.", 409: "The new name is in use."})
def rename(json_data: RenameBody) -> Changed:
    """Rename a tag everywhere, or merge it into another. Undone by `POST /assets/bulk/undo`."""
    return rename_word(services().database, json_data.word, json_data.to, merge=json_data.merge)


@bp.post("/delete")
@bp.input(DeleteBody)
@bp.output(answer(Changed))
@bp.doc(responses={404: "There is no such tag."})
def delete(json_data: DeleteBody) -> Changed:
    """Take a tag off every asset. Undone by `POST /assets/bulk/undo`."""
    return delete_word(services().database, json_data.word)


@bp.get("/taught")
@bp.output(answer(TaughtTags))
def list_taught() -> TaughtTags:
    """List the tags that are taught by example, with how right they are estimated to be."""
    database = services().database
    with database.read() as session:
        words = taught_words(session)
    return TaughtTags([describe_taught(database, word) for word in words])


@bp.post("/teach")
@bp.input(TeachBody)
@bp.output(answer(TaughtAnswer))
def teach_tag(json_data: TeachBody) -> TaughtAnswer:
    """Suggest a tag on what looks like the ten or more assets on which it is approved."""
    taught, changed = teach(services().database, json_data.word)
    return TaughtAnswer(taught, changed.undo)


@bp.post("/forget")
@bp.input(TeachBody)
@bp.output(answer(Changed))
@bp.doc(responses={404: "The tag was not taught."})
def forget(json_data: TeachBody) -> Changed:
    """Take back what was taught, with its suggestions; decisions stay."""
    return forget_taught(services().database, json_data.word)


@bp.get("/nearest")
@bp.input(NearestQuery, location="query")
@bp.output(answer(NearestExamples))
def nearest(query_data: NearestQuery) -> NearestExamples:
    """Tell why a taught tag is suggested on an asset: the approved examples it looks most like."""
    with services().database.read() as session:
        found = nearest_examples(session, query_data.word, query_data.asset_id)
        cards = {card.id: card for card in cards_of(session, [one.asset_id for one in found])}
    return NearestExamples(
        [Example(cards[one.asset_id], one.cosine) for one in found if one.asset_id in cards]
    )


def _matching(body: MatchingBody) -> list[str]:
    owner = services()
    return matching_assets(owner.database, lambda: owner.search, body.matching)


def _holds(one: WordSummary, typed: str) -> bool:
    return typed in one.word.casefold()


def _place(one: WordSummary, order: Order) -> int:
    """Where it comes in a list, before its name decides."""
    if order is Order.NAME:
        return 0
    return -(one.suggested + one.approved + one.in_files)


def _place_after(cursor: str) -> tuple[int, str]:
    match read_cursor(cursor):
        case [int() as place, str() as word]:
            return place, word
        case _:
            raise BadRequest("The cursor does not come from this list.")


def _position(one: Reviewed) -> tuple[int, str]:
    """Scores as whole numbers: cursors hold no fractions."""
    if one.decided_us is not None:
        return -one.decided_us, one.asset_id
    return -round((one.score or 0.0) * 1_000_000_000), one.asset_id


def _item(one: Reviewed, card: AssetCard) -> ReviewItem:
    start_s = None if one.start_us is None else one.start_us / US_PER_S
    return ReviewItem(card, one.score, one.producer, start_s)
