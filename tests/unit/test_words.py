"""Which lines get a vector together, and which model of sentences there is."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import save_file

from dam.config import Settings
from dam.contracts import Item, Kind, Setup, Span
from dam.errors import UpstreamAbsent, UpstreamFailed, WeightsUnavailable
from dam.findings import Box, Finding, TextBox, TranscriptLine
from dam.model_catalogue import BY_NAME
from dam.models import ModelCondition, ModelStore
from indexers.sentences import E5
from indexers.word_passages import spoken, written
from indexers.words import Words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MINILM = BY_NAME["minilm"]


def line(start_s: float, end_s: float, text: str, english: str | None = None) -> TranscriptLine:
    span = Span(round(start_s * 1e6), round(end_s * 1e6))
    return TranscriptLine(span, text, "de" if english else "en", 0.9, english=english)


def box(text: str, top: float, left: float = 0.0, span: Span | None = None) -> TextBox:
    at_us = None if span is None else span.start_us + 1
    return TextBox(text, 0.9, Box(left, top, 0.1, 0.05), at_us, span)


def texts(lines: Sequence[Finding], duration_us: int | None = None) -> list[str]:
    return [passage.text for passage in spoken(lines, duration_us)]


def test_a_sentence_is_a_passage_and_short_lines_take_the_next_with_them() -> None:
    lines = [
        line(0, 2, "How much does it cost, then?"),
        line(2, 3, "Hm."),
        line(3, 4, "Yes."),
        line(4, 7, "The small one is twelve pounds."),
        line(7, 9, "And this one is dearer, of course."),
    ]
    first, second, third = spoken(lines, None)
    assert first.text == "How much does it cost, then?"
    assert second.text == "Hm. Yes. The small one is twelve pounds."
    assert second.span == Span(2_000_000, 7_000_000)
    assert second.at_us == 2_000_000
    assert third.span == Span(7_000_000, 9_000_000)


def test_half_a_sentence_goes_on_in_the_next_line() -> None:
    lines = [line(0, 2, "We walked along the harbour"), line(2, 4, "until the lights went out.")]
    assert texts(lines) == ["We walked along the harbour until the lights went out."]
    unpunctuated = [line(at, at + 1, f"zero one two three {at}") for at in range(8)]
    assert [len(text.split()) for text in texts(unpunctuated)] == [15, 15, 10]


def test_a_pause_or_another_language_ends_a_passage() -> None:
    assert texts([line(0, 1, "Yes."), line(3, 4, "No.")]) == ["Yes.", "No."]
    assert texts([line(0, 1, "Yes."), line(1, 2, "Nein.", "No.")]) == ["Yes.", "Nein.", "No."]


def test_what_was_translated_can_be_found_in_both_languages() -> None:
    found = spoken([line(1, 3, "Was kostet das denn hier?", "How much is this?")], None)
    assert [passage.text for passage in found] == ["Was kostet das denn hier?", "How much is this?"]
    assert {passage.span for passage in found} == {Span(1_000_000, 3_000_000)}


def test_scripts_without_spaces_are_not_one_endless_word() -> None:
    sentence = "これはとても長い日本語の文章ですから一行で十分です。"
    lines = [line(at, at + 1, sentence) for at in (0, 1)]
    assert len(texts(lines)) == 2


def test_lines_end_with_the_asset() -> None:
    lines = [
        line(0, 5, "A line that a person drew too long."),
        line(9, 10, "Beyond the end of it."),
    ]
    (only,) = spoken(lines, 4_000_000)
    assert only.span == Span(0, 4_000_000)


def test_boxes_are_read_from_the_top_down_and_together_with_their_time() -> None:
    early, late = Span(0, 2_000_000), Span(2_000_000, 4_000_000)
    boxes = [box("PARKING", 0.5), box("NO", 0.1), box("Exit", 0.3, span=late)]
    boxes += [box("Platform 4", 0.1, 0.6, early), box("Leeds", 0.1, 0.2, early)]
    found = written(boxes, 4_000_000)
    assert [(passage.text, passage.span) for passage in found] == [
        ("NO PARKING", None), ("Leeds Platform 4", early), ("Exit", late),
    ]  # fmt: skip
    assert [passage.at_us for passage in found] == [None, 0, 2_000_000]


def test_a_page_of_text_is_cut_into_passages() -> None:
    page = [box("ten words that stand on one printed line of it", at / 100) for at in range(9)]
    assert [len(one.text.split()) for one in written(page, None)] == [40, 40, 10]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("intfloat/multilingual-e5-small", True),
        ("intfloat--multilingual-e5-small", True),
        ("e5-base-v2", True),
        ("sentence-transformers/all-MiniLM-L6-v2", False),
        ("some-he5d", False),
    ],
)
def test_only_e5_is_told_what_is_asked_and_what_may_answer(name: str, wanted: bool) -> None:
    assert (E5.search(name) is not None) is wanted


# Models -------------------------------------------------------------------------------------------


def make_sentence_model(folder: Path, *, pooling: str = "mean_tokens") -> Path:
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "modules.json").write_text("[]")
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
    chosen = {f"pooling_mode_{name}": name == pooling for name in ("mean_tokens", "cls_token")}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(chosen))
    save_file({"weight": np.zeros((8, 8), dtype=np.float32)}, folder / "model.safetensors")
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "models").mkdir()
    return Settings(home=tmp_path / "home", models=tmp_path / "models", built_in_model=True)


def test_minilm_comes_with_dam_and_any_other_model_is_chosen_before_it(
    settings: Settings, tmp_path: Path
) -> None:
    store = ModelStore(settings)
    found = store.find("auto", indexer="words")
    assert (found.name, found.licence) == (MINILM.network, "Apache-2.0")
    make_sentence_model(tmp_path / "models" / "mine")
    assert store.find("auto", indexer="words").name == "mine"
    make_sentence_model(tmp_path / "models" / "e5-small")
    assert store.find("auto", indexer="words").name == "intfloat/multilingual-e5-small"
    assert store.find("minilm", indexer="words").name == MINILM.network


def test_without_the_models_that_come_with_dam_the_work_waits(settings: Settings) -> None:
    plain = settings.model_copy(update={"built_in_model": False})
    indexer = Words(Setup(models=ModelStore(plain), cache=plain.cache_path))
    with pytest.raises(WeightsUnavailable, match="dam models pull e5-small"):
        indexer.producer()


def test_packaged_weights_must_be_those_that_their_owner_published(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "packages" / MINILM.package
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('nobody may run this')")
    shutil.copytree(make_sentence_model(tmp_path / "other"), package / "model")
    monkeypatch.syspath_prepend(str(package.parent))
    store = ModelStore(settings)
    with pytest.raises(WeightsUnavailable, match="not what sentence-transformers/all-MiniLM"):
        store.find("minilm", indexer="words")
    with pytest.raises(WeightsUnavailable):
        store.find("auto", indexer="words")


def test_a_model_that_pools_in_another_way_is_refused(settings: Settings, tmp_path: Path) -> None:
    make_sentence_model(tmp_path / "models" / "mine", pooling="cls_token")
    store = ModelStore(settings)
    with pytest.raises(WeightsUnavailable, match="no means of tokens"):
        store.find("mine", indexer="words")
    damaged = [state for state in store.list() if state.name == "mine"]
    assert [state.state for state in damaged] == [ModelCondition.DAMAGED]


# Outcomes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "failed"), [(UpstreamFailed("it broke"), True), (UpstreamAbsent("it is off"), False)]
)
def test_an_asset_of_which_nobody_wrote_anything_down_fails_only_if_somebody_tried(
    settings: Settings, error: UpstreamFailed, *, failed: bool
) -> None:
    def upstream(_name: str) -> Sequence[Finding]:
        raise error

    with Words(Setup(models=ModelStore(settings), cache=settings.cache_path)) as indexer:
        (outcome,) = indexer.index([Item("a", Kind.AUDIO, 1_000_000, upstream=upstream)])
    assert (outcome.error is not None) is failed
    assert not outcome.findings
