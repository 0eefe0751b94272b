from __future__ import annotations

import logging
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

import pytest

from dam.contracts import Kind, Reads, Tag
from dam.errors import BadRequest
from dam.indexing.registry import GROUP, PREVIEWS, Registry, contract_faults, discover

if TYPE_CHECKING:
    from dam.config import Settings

BUILT_IN = {"shots", "visual", "tags"}


def test_built_in_indexers_come_after_what_they_need(settings: Settings) -> None:
    names = list(Registry(settings).classes)
    assert set(names) >= BUILT_IN
    assert names.index("shots") < names.index("visual") < names.index("tags")


def test_a_plug_in_that_cannot_be_imported_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    entry = EntryPoint("broken", "no_such_module:Nothing", GROUP)
    with caplog.at_level(logging.WARNING):
        assert discover([entry]) == {}
    assert "no_such_module" in caplog.text


def test_the_validator_names_every_fault() -> None:
    class Almost:
        name = PREVIEWS
        version = "1"
        accepts = frozenset({Kind.PHOTO})
        reads = frozenset({Reads.IMAGE})
        needs = ()
        produces = frozenset({Tag})
        batch_size = 1

        def producer(self) -> None: ...
        def __enter__(self) -> None: ...
        def __exit__(self, *_: object) -> None: ...

    faults = "; ".join(contract_faults(Almost))
    assert "`version` is not a int" in faults
    assert "`index` is missing" in faults
    assert "is taken" in faults
    assert contract_faults("text") == ["it is not a class"]


def test_an_unknown_name_in_the_settings_is_an_error_that_lists_the_known(
    settings: Settings,
) -> None:
    chosen = settings.model_copy(update={"indexers": "visual, smells"})
    with pytest.raises(BadRequest, match="smells"):
        _ = Registry(chosen).classes


def test_missing_weights_make_an_indexer_and_its_dependants_wait(settings: Settings) -> None:
    ready, waiting = Registry(settings).producers()
    assert set(waiting) == {
        "visual",
        "tags",
        "speech",
        "sounds",
        "sound_space",
        "music_tags",
        "faces",
        "words",
    }
    assert all("dam models pull" in reason for reason in waiting.values())
    assert set(ready) == {"shots", "quality", "fingerprints", "text", "music"}
