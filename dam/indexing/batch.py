"""Indexes one claimed batch: each asset opened once, every indexer fed from that one decode.

The calling thread decodes and deals out; each indexer runs in a thread of its own. Outcomes are
collected and stored in one transaction per asset batch (`dam.indexing.worker`).
"""

from __future__ import annotations

import logging
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from dam.contracts import Frame, Item, Kind, Outcome, Reads, Sound
from dam.errors import DamError
from dam.indexing.fanout import ItemFeed, Stopped, Tap, Upstream, frame_tap, sound_tap, taps_of
from dam.indexing.registry import PREVIEWS
from dam.media.previews import preview_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from dam.contracts import Finding, Indexer
    from dam.indexing.claim import Claim
    from dam.media.decoded_stream import DecodedStream
    from dam.media.sandbox import Sampling, Sandbox

_T = TypeVar("_T", Frame, Sound)
# What a kind of asset can be decoded into.
READ = {
    Kind.PHOTO: {Reads.IMAGE},
    Kind.VIDEO: {Reads.FRAMES, Reads.SOUND},
    Kind.AUDIO: {Reads.SOUND},
}
log = logging.getLogger(__name__)


@dataclass
class Results:
    """What became of each (asset, indexer) of a batch; the unfinished have no entry."""

    outcomes: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    traces: dict[tuple[str, str], str] = field(default_factory=dict)  # bugs, not bad input
    thumbhashes: dict[str, bytes] = field(default_factory=dict)
    damages: dict[str, str] = field(default_factory=dict)  # videos of which a part can be read


class Batch:
    """One pass over the claimed assets. Used once."""

    def __init__(
        self,
        claims: Sequence[Claim],
        indexers: Mapping[str, Indexer],
        *,
        sandbox: Sandbox,
        sampling: Sampling,
        previews_path: Path,
        decoders: int,
        stored: Callable[[str, str], Sequence[Finding]],
        mended: Callable[[str, str, Sequence[Finding]], Sequence[Finding]],
        stop: threading.Event,
        paused: Callable[[], frozenset[str]],
    ) -> None:
        """`indexers` are entered and in the order of their needs; `stored` reads findings of
        runs that are not part of this batch and raises `UpstreamFailed` when there are none;
        `mended` puts what people said of findings into them, for those who are made of them.
        `paused` names the indexers that shall rest by now, with all that need them."""
        self._claims = claims
        self._indexers = indexers
        self._sandbox = sandbox
        self._sampling = sampling
        self._previews_path = previews_path
        self._decoders = decoders
        self._stored = stored
        self._mended = mended
        self._stop = stop
        self._paused = paused
        self._wanted = {name for claim in claims for name in claim.leases}
        self._upstream = Upstream()
        self._lock = threading.Lock()
        self.results = Results()

    def run(self) -> Results:
        """Blocks until every claim has its outcomes, or raises `Stopped` with some of them."""
        feeds = {name: ItemFeed() for name in self._indexers}
        threads = [
            threading.Thread(target=self._run_indexer, args=(name, feed), name=name)
            for name, feed in feeds.items()
        ]
        for thread in threads:
            thread.start()
        try:
            self._deal(feeds)
        finally:
            for feed in feeds.values():
                feed.end()
            for thread in threads:
                thread.join()
        return self.results

    # Dealing out: the calling thread --------------------------------------------------------

    def _deal(self, feeds: Mapping[str, ItemFeed]) -> None:
        with ThreadPoolExecutor(self._decoders) as pool:
            photos = {
                claim.asset_id: pool.submit(self._open_photo, claim)
                for claim in self._claims
                if claim.kind is Kind.PHOTO and self._needs_pixels(claim)
            }
            try:
                for claim in self._claims:
                    self._check_stop()
                    self._deal_one(claim, feeds, photos.pop(claim.asset_id, None))
            finally:
                for waiting in photos.values():
                    waiting.cancel()

    def _deal_one(
        self, claim: Claim, feeds: Mapping[str, ItemFeed], photo: Future[Item] | None
    ) -> None:
        paused = self._paused()  # once: whoever is fed finds what it needs fed as well
        awake = [name for name in self._held(claim) if name not in paused]
        readers = [name for name in awake if self._reads(name) & READ[claim.kind]]
        if claim.kind is not Kind.PHOTO:
            self._deal_streams(claim, {name: feeds[name] for name in readers})
        elif photo is not None:
            self._deal_photo(claim, photo, {name: feeds[name] for name in readers})
        base = Item(claim.asset_id, claim.kind, claim.duration_us)
        for name in awake:
            if name not in readers:
                feeds[name].put(self._item_for(name, base))

    def _deal_photo(self, claim: Claim, photo: Future[Item], feeds: Mapping[str, ItemFeed]) -> None:
        try:
            item = photo.result()
        except DamError as error:
            self._fail(claim, [PREVIEWS, *feeds], error)
            return
        if PREVIEWS in claim.leases:
            self._settle(claim.asset_id, PREVIEWS, Outcome())
        for name, feed in feeds.items():
            feed.put(self._item_for(name, item))

    def _open_photo(self, claim: Claim) -> Item:
        folder = self._folder(claim)
        preview = folder / "preview.jpg"
        if PREVIEWS not in claim.leases and preview.is_file():
            image = self._sandbox.preview(preview)
        else:
            photo = self._sandbox.photo(claim.path, previews=folder)
            image = photo.image
            with self._lock:
                self.results.thumbhashes[claim.asset_id] = photo.thumbhash
        return Item(claim.asset_id, claim.kind, image=image)

    def _deal_streams(self, claim: Claim, feeds: Mapping[str, ItemFeed]) -> None:
        """One pass over the frames of a video, then one over the sound, for all their readers."""
        is_video = claim.kind is Kind.VIDEO
        seers = [name for name in feeds if is_video and Reads.FRAMES in self._reads(name)]
        listeners = [name for name in feeds if Reads.SOUND in self._reads(name)]
        frames = {name: frame_tap() for name in seers}
        sound = {name: sound_tap(frames.get(name)) for name in listeners}
        base = Item(claim.asset_id, claim.kind, claim.duration_us)
        for name, feed in feeds.items():
            item = self._item_for(name, base, frames=frames.get(name), sound=sound.get(name))
            feed.put(item)
        drawn = PREVIEWS in claim.leases
        previews = self._folder(claim) if drawn else None
        complete = False
        try:
            if is_video and (drawn or frames):
                stream = self._sandbox.video(
                    claim.path, sampling=self._sampling, previews=previews, frames=bool(frames)
                )
                self._pass(claim, stream, frames, drawn=drawn)
            if is_video and not claim.has_sound:
                for silence in sound.values():
                    silence.put(None)  # its end: nothing is decoded to hear nothing
            elif sound or (drawn and not is_video):
                heard = self._sandbox.sound(
                    claim.path,
                    previews=None if is_video else previews,
                    samples=bool(sound),
                    required=not is_video,
                )
                self._pass(claim, heard, sound, drawn=drawn and not is_video)
            complete = True
        finally:
            if not complete:  # nobody may wait for the rest, or take it for the end
                for name in feeds:
                    for tap in (frames.get(name), sound.get(name)):
                        if tap is not None:
                            tap.cut(Stopped())

    def _pass(
        self, claim: Claim, stream: DecodedStream[_T], taps: Mapping[str, Tap[_T]], *, drawn: bool
    ) -> None:
        """Pumps one pass into the taps of all its readers; `drawn`: it makes the previews too."""
        error: DamError | None = None
        try:
            with stream:
                for piece in stream:
                    self._check_stop()
                    paused = self._paused()
                    for name, tap in taps.items():
                        if name in paused:
                            tap.cut(Stopped())
                        tap.put(piece)
                if stream.damage:
                    self.results.damages[claim.asset_id] = stream.damage
        except Stopped:
            raise
        except DamError as caught:
            error = caught
        for tap in taps.values():
            tap.put(error)
        if error is not None:
            self._fail(claim, [*([PREVIEWS] if drawn else []), *taps], error)
        elif drawn:
            self._settle(claim.asset_id, PREVIEWS, Outcome())

    def _item_for(
        self,
        indexer: str,
        base: Item,
        *,
        frames: Tap[Frame] | None = None,
        sound: Tap[Sound] | None = None,
    ) -> Item:
        held = {claim.asset_id: claim.leases for claim in self._claims}[base.asset_id]

        def upstream(name: str) -> Sequence[Finding]:
            if name in held and name in self._indexers:
                found = self._upstream.wait_for(base.asset_id, name)
            else:
                found = self._stored(base.asset_id, name)
            return self._mended(base.asset_id, name, found)

        return Item(
            base.asset_id,
            base.kind,
            base.duration_us,
            base.image if Reads.IMAGE in self._reads(indexer) else None,
            frames if frames is not None else (),
            sound if sound is not None else (),
            upstream,
        )

    # Indexing: one thread per indexer -------------------------------------------------------

    def _run_indexer(self, name: str, feed: ItemFeed) -> None:
        """Every item that was fed gets an outcome, whatever the indexer does."""
        fed: list[Item] = []

        def items() -> object:
            for item in feed:
                fed.append(item)
                if name in self._paused():
                    for tap in taps_of(item):
                        tap.cut(Stopped())
                    raise Stopped
                yield item
            if name in self._paused():  # what it has gathered for its next model call is left
                raise Stopped

        answered = 0
        try:
            for outcome in self._indexers[name].index(items()):  # type: ignore[arg-type]
                self._settle_item(name, fed[answered], outcome)
                answered += 1
        except DamError as error:
            self._answer_rest(name, feed, fed, answered, Outcome(error=error), None)
        except Exception as error:  # a bug in the indexer: recorded, and the others go on
            log.warning("The indexer %s failed", name, exc_info=True)
            failure = Outcome(error=DamError(f"{type(error).__name__}: {error}"))
            self._answer_rest(name, feed, fed, answered, failure, traceback.format_exc())
        else:
            missing = Outcome(error=DamError(f"The indexer {name} gave no outcome."))
            self._answer_rest(name, feed, fed, answered, missing, None)

    def _answer_rest(
        self,
        name: str,
        feed: ItemFeed,
        fed: list[Item],
        answered: int,
        outcome: Outcome,
        trace: str | None,
    ) -> None:
        for item in [*fed[answered:], *feed]:
            if trace is not None:
                with self._lock:
                    self.results.traces[item.asset_id, name] = trace
            self._settle_item(name, item, outcome)

    def _settle_item(self, name: str, item: Item, outcome: Outcome) -> None:
        for tap in taps_of(item):
            tap.close()
            if tap.error is not None:  # the decoder's word is the better reason
                outcome = Outcome(error=tap.error)
        self._settle(item.asset_id, name, outcome)

    def _settle(self, asset_id: str, name: str, outcome: Outcome) -> None:
        if not isinstance(outcome.error, Stopped):
            with self._lock:
                self.results.outcomes[asset_id, name] = outcome
        self._upstream.publish(asset_id, name, outcome)

    def _fail(self, claim: Claim, names: Sequence[str], error: DamError) -> None:
        for name in names:
            if name in claim.leases and (claim.asset_id, name) not in self.results.outcomes:
                self._settle(claim.asset_id, name, Outcome(error=error))

    # Small questions ------------------------------------------------------------------------

    def _held(self, claim: Claim) -> list[str]:
        return [name for name in self._indexers if name in claim.leases]

    def _reads(self, name: str) -> frozenset[Reads]:
        return self._indexers[name].reads

    def _needs_pixels(self, claim: Claim) -> bool:
        return PREVIEWS in claim.leases or any(
            Reads.IMAGE in self._reads(name) for name in self._held(claim)
        )

    def _folder(self, claim: Claim) -> Path:
        return preview_folder(self._previews_path, claim.essence_hash)

    def _check_stop(self) -> None:
        if self._stop.is_set() or self._wanted <= self._paused():
            raise Stopped
