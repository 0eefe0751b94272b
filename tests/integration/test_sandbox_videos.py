"""Films of every make in one pass: frames, samples and the pictures made on the way."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from PIL import Image

from dam.config import VideoTier
from dam.contracts import Kind
from dam.errors import UnreadableMedia
from dam.media.sandbox import Limits, Sampling, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dam.contracts import Frame, Pixels

FAST = Sampling(VideoTier.FAST, gap_s=4.0, sample_s=2.0)
QUALITY = Sampling(VideoTier.QUALITY, gap_s=4.0, sample_s=2.0)
RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 30), (30, 30, 220), (235, 235, 235)
RATE = 25


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Limits(timeout_s=60, memory_mb=4096, max_pixels=250_000_000)) as opened:
        yield opened


def quarters(width_px: int, height_px: int) -> Pixels:
    """Red, green over blue, white."""
    pixels = np.empty((height_px, width_px, 3), np.uint8)
    top, left = height_px // 2, width_px // 2
    pixels[:top, :left], pixels[:top, left:] = RED, GREEN
    pixels[top:, :left], pixels[top:, left:] = BLUE, WHITE
    return pixels


def write_film(
    path: Path,
    codec: str = "libx264",
    *,
    seconds: float = 6,
    gop: int = RATE,
    size: tuple[int, int] = (320, 240),
    pixel_format: str = "yuv420p",
    options: dict[str, str] | None = None,
    muxing: dict[str, str] | None = None,
    rotation: int | None = None,
    aspect: Fraction | None = None,
    at_ms: Callable[[int], int] | None = None,
    picture: Callable[[int], Pixels] | None = None,
) -> Path:
    """A still picture by default; `picture` draws the frame of a number."""
    still = quarters(*size)
    with av.open(str(path), "w", options=muxing or {}) as container:
        stream = container.add_stream(codec, rate=RATE, options=options or {})
        stream.width, stream.height = size
        stream.pix_fmt = pixel_format
        stream.codec_context.gop_size = gop
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation is not None:
            stream.set_display_rotation(rotation)
        if at_ms is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number in range(round(seconds * RATE)):
            pixels = still if picture is None else picture(number)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            if at_ms is not None:
                frame.pts, frame.time_base = at_ms(number), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def watch(sandbox: Sandbox, path: Path, sampling: Sampling = FAST, **wishes: Any) -> list[Frame]:
    with sandbox.video(path, sampling=sampling, **wishes) as stream:
        return list(stream)


def samples(frames: list[Frame]) -> list[Frame]:
    return [frame for frame in frames if frame.image is not None]


def corners(image: Pixels) -> list[tuple[int, ...]]:
    height, width = image.shape[:2]
    places = [(y, x) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]
    return [tuple(int(value) for value in image[place]) for place in places]


def close(image: Pixels, wanted: list[tuple[int, ...]]) -> bool:
    return bool(np.abs(np.array(corners(image)) - np.array(wanted)).max() < 40)


@pytest.mark.parametrize(
    ("suffix", "codec", "made"),
    [
        ("mp4", "libx264", {}),
        ("mov", "libx264", {}),
        ("mkv", "libx264", {}),
        ("avi", "libx264", {}),
        ("mxf", "libx264", {}),
        ("ts", "libx264", {}),
        ("flv", "libx264", {}),
        ("h264", "libx264", {}),
        ("mp4", "libx265", {"options": {"x265-params": "log-level=none"}}),
        ("webm", "libvpx-vp9", {}),
        ("mp4", "libsvtav1", {"options": {"preset": "12", "svtav1-params": "fast-decode=1"}}),
        ("mov", "prores_ks", {"pixel_format": "yuv422p10le"}),
        ("avi", "mpeg4", {}),
        ("mxf", "mpeg2video", {}),
        ("avi", "mjpeg", {"pixel_format": "yuvj420p"}),
        ("mkv", "ffv1", {"pixel_format": "bgra"}),
        ("mkv", "ffv1", {"pixel_format": "yuv444p16le"}),
    ],
)
def test_containers_and_codecs_give_frames_in_both_tiers(
    sandbox: Sandbox, tmp_path: Path, suffix: str, codec: str, made: dict[str, Any]
) -> None:
    path = write_film(tmp_path / f"film.{suffix}", codec, seconds=4, **made)
    probe = sandbox.probe(path)
    assert (probe.kind, probe.width_px, probe.height_px) == (Kind.VIDEO, 320, 240)
    assert probe.frame_rate == "25/1"
    assert probe.duration_us == pytest.approx(4_000_000, abs=100_000)
    every, fast = watch(sandbox, path, QUALITY), watch(sandbox, path, FAST)
    assert [frame.number for frame in every] == list(range(100))
    assert {frame.number for frame in fast} == {None}
    assert 3 <= len(fast) < 50
    for frames in (every, fast):
        times = [frame.at_us for frame in frames]
        assert times == sorted(set(times))
        assert times[0] == 0
        assert times[-1] < probe.duration_us
        assert {frame.small.shape for frame in frames} == {(192, 256, 3)}
        assert len(samples(frames)) >= 2
        for frame in samples(frames):
            assert frame.image is not None
            assert frame.image.shape == (240, 320, 3)
            assert close(frame.image, [RED, GREEN, BLUE, WHITE])
            assert close(frame.small, [RED, GREEN, BLUE, WHITE])


@pytest.mark.parametrize(
    ("rotation", "orientation", "size", "wanted"),
    [
        (0, 1, (320, 240), [RED, GREEN, BLUE, WHITE]),
        (90, 8, (240, 320), [GREEN, WHITE, RED, BLUE]),
        (180, 3, (320, 240), [WHITE, BLUE, GREEN, RED]),
        (-90, 6, (240, 320), [BLUE, RED, WHITE, GREEN]),
    ],
)
def test_the_rotation_flag_turns_frames_upright(
    sandbox: Sandbox,
    tmp_path: Path,
    rotation: int,
    orientation: int,
    size: tuple[int, int],
    wanted: list[tuple[int, ...]],
) -> None:
    path = write_film(tmp_path / "phone.mp4", seconds=1, rotation=rotation)
    probe = sandbox.probe(path)
    assert (probe.width_px, probe.height_px, probe.orientation) == (*size, orientation)
    first = samples(watch(sandbox, path, previews=tmp_path / "previews"))[0]
    assert first.image is not None
    assert first.image.shape == (size[1], size[0], 3)
    assert close(first.image, wanted)
    with Image.open(tmp_path / "previews" / "poster.jpg") as poster:
        assert poster.size == size
        assert close(np.asarray(poster), wanted)


def test_pixels_that_are_not_square_are_stretched(sandbox: Sandbox, tmp_path: Path) -> None:
    path = write_film(tmp_path / "wide.mp4", seconds=1, aspect=Fraction(2, 1))
    probe = sandbox.probe(path)
    frame = samples(watch(sandbox, path))[0]
    assert (probe.width_px, probe.height_px) == (640, 240)
    assert frame.image is not None
    assert frame.image.shape == (240, 640, 3)
    assert frame.small.shape == (96, 256, 3)


def test_real_films_with_rotation_and_aspect_ratio(sandbox: Sandbox, shared: Path) -> None:
    for name, size in {
        "issue-134-rotate": (544, 1280),
        "issue-195-aspect-ratio": (1024, 576),
    }.items():
        probe = sandbox.probe(shared / f"media/video/{name}.mp4")
        assert (probe.width_px, probe.height_px) == size


def test_every_frame_of_a_real_film_has_its_number(sandbox: Sandbox, shared: Path) -> None:
    frames = watch(sandbox, shared / "media/video/fades.mp4", QUALITY)
    assert [frame.number for frame in frames] == list(range(250))
    assert [frame.at_us for frame in frames] == [40_000 * number for number in range(250)]


def test_keyframes_do_where_they_are_close_and_gaps_are_decoded_through(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    close_keys = write_film(tmp_path / "close.mp4", seconds=20, gop=50, options={"bf": "0"})
    far_keys = write_film(tmp_path / "far.mp4", seconds=20, gop=1000, options={"bf": "0"})
    assert [f.at_us for f in watch(sandbox, close_keys)] == [n * 2_000_000 for n in range(10)]
    times = [frame.at_us for frame in watch(sandbox, far_keys)]
    assert max(np.diff(times)) <= 4_000_000
    assert times[-1] > 19_000_000


def test_only_a_few_frames_of_an_all_intra_film_are_decoded(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    path = write_film(tmp_path / "intra.mov", "prores_ks", seconds=6, pixel_format="yuv422p10le")
    times = [frame.at_us for frame in watch(sandbox, path)]
    assert 6 <= len(times) <= 15
    assert times[-1] > 5_000_000


def test_frames_before_an_open_keyframe_are_not_shown_broken(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """Open GOP: frames shown before their keyframe need the group before, which was skipped."""
    path = write_film(
        tmp_path / "open.mkv",
        "libx265",
        seconds=12,
        gop=75,
        options={"x265-params": "log-level=none:open-gop=1:scenecut=0:bframes=4"},
    )
    for frame in watch(sandbox, path, Sampling(VideoTier.FAST, gap_s=2.5, sample_s=1)):
        assert close(frame.small, [RED, GREEN, BLUE, WHITE])


def test_samples_keep_their_distance(sandbox: Sandbox, tmp_path: Path) -> None:
    path = write_film(tmp_path / "long.mp4", seconds=30)
    for sampling in (FAST, QUALITY):
        times = [frame.at_us for frame in samples(watch(sandbox, path, sampling))]
        assert len(times) == 15
        assert min(np.diff(times)) >= 2_000_000


@pytest.mark.parametrize(("seconds", "least"), [(0.04, 1), (0.2, 2), (1, 3), (3, 3)])
def test_short_clips_still_give_samples(
    sandbox: Sandbox, tmp_path: Path, seconds: float, least: int
) -> None:
    path = write_film(tmp_path / "short.mp4", seconds=seconds)
    assert len(samples(watch(sandbox, path, previews=tmp_path / "previews"))) >= least


def test_times_follow_the_timestamps_of_a_variable_rate(sandbox: Sandbox, tmp_path: Path) -> None:
    at_ms = [40 * n + (n % 5) * 7 for n in range(100)]
    path = write_film(tmp_path / "vfr.mkv", seconds=4, at_ms=lambda number: at_ms[number])
    times = [frame.at_us for frame in watch(sandbox, path, QUALITY)]
    assert times == [1000 * value for value in at_ms]


@pytest.mark.parametrize("suffix", ["mkv", "ts"])
def test_times_count_from_the_first_timestamp(
    sandbox: Sandbox, tmp_path: Path, suffix: str
) -> None:
    path = write_film(tmp_path / f"late.{suffix}", seconds=2, at_ms=lambda n: 5000 + 40 * n)
    times = [frame.at_us for frame in watch(sandbox, path, QUALITY)]
    assert times == [40_000 * number for number in range(50)]


def test_a_length_that_the_header_leaves_out_is_measured(sandbox: Sandbox, tmp_path: Path) -> None:
    path = write_film(tmp_path / "live.webm", "libvpx-vp9", seconds=3, muxing={"live": "1"})
    assert sandbox.probe(path).duration_us == 3_000_000


def test_previews_of_a_film_come_from_the_same_pass(sandbox: Sandbox, tmp_path: Path) -> None:
    dark = np.zeros((180, 320, 3), np.uint8)
    shown = quarters(320, 180)
    path = write_film(
        tmp_path / "film.mp4",
        seconds=20,
        size=(320, 180),
        picture=lambda n: dark if n < 100 else shown,
    )
    folder = tmp_path / "previews" / "ab"
    before = sandbox.counters.videos
    frames = watch(sandbox, path, previews=folder)
    assert sandbox.counters.videos == before + 1
    assert frames
    names = {entry.name for entry in folder.iterdir()}
    assert names == {"poster.jpg", "thumb.webp", "sprite.webp", "sprite.json"}
    with Image.open(folder / "poster.jpg") as poster:
        assert poster.size == (320, 180)
        assert close(np.asarray(poster), [RED, GREEN, BLUE, WHITE])
    with Image.open(folder / "thumb.webp") as thumb:
        assert thumb.size == (250, 140)
    tiles = json.loads((folder / "sprite.json").read_text())
    times, columns = tiles["times_us"], tiles["columns"]
    assert times == sorted(times)
    assert times[0] == 0
    with Image.open(folder / "sprite.webp") as sprite:
        rows = -(-len(times) // columns)
        assert sprite.size == (columns * tiles["tile_width_px"], rows * tiles["tile_height_px"])
        assert (tiles["tile_width_px"], tiles["tile_height_px"]) == (160, 90)
        last = len(times) - 1
        left, top = last % columns * 160, last // columns * 90
        tile = np.asarray(sprite.convert("RGB").crop((left, top, left + 160, top + 90)))
        assert close(tile, [RED, GREEN, BLUE, WHITE])


def test_previews_alone_yield_no_frames(sandbox: Sandbox, tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mp4")
    assert watch(sandbox, path, previews=tmp_path / "previews", frames=False) == []
    assert (tmp_path / "previews" / "poster.jpg").exists()


def test_a_stream_that_is_closed_early_leaves_nothing_behind(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    path = write_film(tmp_path / "film.mp4", seconds=20)
    folder = tmp_path / "previews" / "ab"
    with sandbox.video(path, sampling=QUALITY, previews=folder) as stream:
        next(stream)
    assert list(folder.parent.iterdir()) == []
    assert len(watch(sandbox, path, QUALITY)) == 500


def test_a_film_cut_short_shows_what_is_there_and_says_so(sandbox: Sandbox, tmp_path: Path) -> None:
    noise = np.random.default_rng(5).integers(0, 255, (150, 240, 320, 3), dtype=np.uint8)
    whole = write_film(
        tmp_path / "whole.mp4",
        seconds=6,
        muxing={"movflags": "faststart"},
        picture=lambda number: noise[number],
    )
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    for sampling in (FAST, QUALITY):
        with sandbox.video(cut, sampling=sampling, previews=tmp_path / "previews") as stream:
            times = [frame.at_us for frame in stream]
        assert 1_000_000 < times[-1] < 4_000_000
        assert stream.damage is not None
        assert "cut short: only" in stream.damage
        assert stream.decoded == len(times)


def test_a_film_without_its_index_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    whole = write_film(tmp_path / "whole.mp4")
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(UnreadableMedia, match=r"cut\.mp4 is damaged or cut short: .*moov"):
        sandbox.probe(cut)
    with pytest.raises(UnreadableMedia, match="moov"):
        watch(sandbox, cut)


def test_playlists_never_open_what_they_name(sandbox: Sandbox, tmp_path: Path) -> None:
    secret = write_film(tmp_path / "secret.mp4", seconds=1)
    playlists = {
        "hls.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9,\n{secret}\n#EXT-X-ENDLIST\n",
        "concat.avi": f"ffconcat version 1.0\nfile {secret}\n",
        "session.mov": "v=0\ns=x\nc=IN IP4 127.0.0.1\nm=video 1 RTP/AVP 96\n",
        "dash.mkv": f"<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'>{secret}</MPD>",
    }
    for name, content in playlists.items():
        (tmp_path / name).write_text(content)
        with pytest.raises(UnreadableMedia):
            sandbox.probe(tmp_path / name)
        with pytest.raises(UnreadableMedia):
            watch(sandbox, tmp_path / name)


def test_a_film_named_like_a_photo_is_a_film(sandbox: Sandbox, tmp_path: Path) -> None:
    write_film(tmp_path / "film.mp4", seconds=1).rename(tmp_path / "film.jpg")
    assert sandbox.probe(tmp_path / "film.jpg").kind is Kind.VIDEO
