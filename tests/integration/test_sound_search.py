"""Real sounds and the stand-in models: a sentence finds the recording, and the second in it."""

from __future__ import annotations

import json
import shutil
import wave
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from dam.config import Settings
from dam.contracts import WIDE_HZ
from dam.indexing.encoder import LoadedEncoder
from dam.indexing.plan import open_registry
from dam.schema import open_database
from dam.search import Channel, Query, SearchService
from tests.cli import Dam

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dam.search import Hit

SENTENCES = {
    "baby-cry": "crying baby",
    "chainsaw": "chainsaw",
    "clock-tick": "clock ticking",
    "dog-bark": "dog barking",
    "fire-crackling": "fire crackling",
    "helicopter": "helicopter",
    "person-sneeze": "sneezing",
    "rain": "rain",
    "rooster": "rooster crowing",
    "sea-waves": "sea waves",
}
MIXES = {"mix.wav": 3.0, "close.wav": 0.0}  # seconds of silence between the sounds
LEAST_PLACED = {"mix.wav": 9, "close.wav": 8}  # of ten, at their second
CLIPS = (1, 4)  # of every class: the one in the mixes, the one that is a file of its own
Places = dict[str, dict[str, tuple[float, float]]]  # by mix and class, in seconds


def clip(shared: Path, name: str, number: int) -> Path:
    return sorted((shared / "media" / "sounds").glob(f"{name}-*.ogg"))[number]


def samples_of(path: Path) -> np.ndarray:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=WIDE_HZ)
    with av.open(path) as container:
        frames = [f for frame in container.decode(audio=0) for f in resampler.resample(frame)]
    frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def write_mix(path: Path, shared: Path, silence_s: float) -> dict[str, tuple[float, float]]:
    """One clip of every class; where each lies."""
    places = {}
    silence = np.zeros(int(silence_s * WIDE_HZ), np.float32)
    whole = [silence]
    for name in SENTENCES:
        samples = samples_of(clip(shared, name, CLIPS[0]))
        start_s = sum(map(len, whole)) / WIDE_HZ
        places[name] = (start_s, start_s + len(samples) / WIDE_HZ)
        whole += [samples, silence]
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, WIDE_HZ, 0, "NONE", ""))
        file.writeframes((np.concatenate(whole).clip(-1, 1) * 32767).astype("<i2").tobytes())
    return places


@pytest.fixture(scope="module")
def library(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Dam, Places]:
    folder = tmp_path_factory.mktemp("sounds")
    for name in SENTENCES:
        shutil.copyfile(clip(shared, name, CLIPS[1]), folder / f"{name}.ogg")
    places = {name: write_mix(folder / name, shared, pause_s) for name, pause_s in MIXES.items()}
    dam = Dam(
        tmp_path_factory.mktemp("home"),
        {"models": str(shared / "models"), "indexers": "sounds,sound_space", "threads": "1"},
    )
    dam.run("library", "add", str(folder))
    runs = dam.json("index")["runs"]
    for indexer in ("sounds", "sound_space"):
        assert (runs[indexer]["done"], runs[indexer]["failed"]) == (12, 0)
    return dam, places


@pytest.fixture(scope="module")
def service(library: tuple[Dam, Places], shared: Path) -> Iterator[SearchService]:
    settings = Settings(home=library[0].home, models=shared / "models", threads=1)
    database = open_database(settings)
    encoder = LoadedEncoder(open_registry(database, settings), "sound_space")
    yield SearchService(database, settings, None, sound=lambda: encoder)
    encoder.close()
    database.close()


def name_of(hit: Hit) -> str:
    return hit.path.rsplit("/", 1)[-1]


def test_a_sentence_finds_the_recording(service: SearchService) -> None:
    first = set()
    for name, sentence in SENTENCES.items():
        names = [name_of(hit) for hit in service.search(Query(sentence)).results]
        single = next(found for found in names if found not in MIXES)
        if single == f"{name}.ogg" and names[0] in (single, *MIXES):
            first.add(name)
    assert len(first) >= 9, set(SENTENCES) - first


@pytest.mark.parametrize("mix", MIXES)
def test_a_sentence_finds_the_second_in_a_mix(
    mix: str, service: SearchService, library: tuple[Dam, Places]
) -> None:
    placed = set()
    for name, sentence in SENTENCES.items():
        hits = service.search(Query(sentence)).results
        best = next(hit for hit in hits if name_of(hit) == mix).moments[0]
        start_s, end_s = library[1][mix][name]
        assert best.start_s is not None
        if start_s - 0.2 <= best.start_s < end_s:
            placed.add(name)
    assert len(placed) >= LEAST_PLACED[mix], set(SENTENCES) - placed


def test_the_answer_says_what_was_heard_and_when(
    service: SearchService, library: tuple[Dam, Places]
) -> None:
    hits = service.search(Query("clock ticking")).results
    mix = next(hit for hit in hits if name_of(hit) == "mix.wav")
    start_s = library[1]["mix.wav"]["clock-tick"][0]
    assert mix.moments[0].channel is Channel.SOUND
    assert mix.moments[0].at_s == pytest.approx(start_s, abs=0.2)
    clock = f"0:{int(mix.moments[0].at_s or 0):02}"
    assert f"sounds like “clock ticking” at {clock}" in mix.why[0]


def test_an_event_answers_where_there_is_no_model_of_words(
    library: tuple[Dam, Places], shared: Path
) -> None:
    settings = Settings(home=library[0].home, models=shared / "models", threads=1)
    database = open_database(settings)
    hits = SearchService(database, settings, None).search(Query("fire crackling")).results
    assert name_of(hits[0]) in ("fire-crackling.ogg", "mix.wav")
    assert any("“Crackle” is heard at" in reason for reason in hits[0].why)
    assert hits[0].moments[0].channel is Channel.SOUND
    database.close()


def test_similar_sounds_are_found_from_a_recording_without_a_model(
    service: SearchService, library: tuple[Dam, Places], shared: Path
) -> None:
    rain = service.search(Query("rain")).results
    single = next(hit for hit in rain if name_of(hit) == "rain.ogg")
    alike = service.search(Query(like_asset=single.asset_id, limit=3)).results
    assert single.asset_id not in [hit.asset_id for hit in alike]
    mix = next(hit for hit in alike if name_of(hit) == "mix.wav")
    start_s, end_s = library[1]["mix.wav"]["rain"]
    assert start_s - 0.1 <= (mix.moments[0].at_s or 0) < end_s
    assert "sounds like the chosen recording" in mix.why[0]


def test_the_command_prints_what_the_service_finds(library: tuple[Dam, Places]) -> None:
    found = library[0].json("search", "helicopter", "--limit", "2")
    names = [hit["path"].rsplit("/", 1)[-1] for hit in found["results"]]
    assert set(names) == {"helicopter.ogg", "mix.wav"}
    assert found["results"][0]["moments"][0]["channel"] == "sound"
    assert json.dumps(found["waiting"]).count("sound") == 0
