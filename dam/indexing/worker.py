"""A worker process: claims batches, indexes them, stores what was found, until it is told to stop.

Runs in a spawned process of its own with its models and its decoder children. Being killed at any
time loses nothing: its leases run out, or the next start sees that it is gone.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

import psutil
from filelock import Timeout
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from dam import store, transcripts
from dam.contracts import Queryable
from dam.errors import (
    DamError,
    DecoderCrashed,
    DecodeTimeout,
    DiskFull,
    LeaseLost,
    LibraryOffline,
    OutOfMemory,
    UpstreamAbsent,
    UpstreamFailed,
    WeightsUnavailable,
)
from dam.indexing.batch import Batch
from dam.indexing.claim import Claim, Turns, claim_batch, extend_leases, reclaim_lost, release
from dam.indexing.fanout import Stopped
from dam.indexing.pause import PauseWatch, needs_of
from dam.indexing.plan import Plan, open_registry, plan_runs
from dam.indexing.renew import made_of_findings, renew_dependents
from dam.liveness import living
from dam.media.previews import sweep_abandoned
from dam.media.sandbox import Counters, Limits, Sampling, Sandbox
from dam.people.regroup import regroup
from dam.tables import Asset, File, FileState, ProducerRow, Run, RunState, now_us
from dam.teaching import refresh_taught
from dam.vectors.upkeep import compact_indexes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session

    from dam.config import Settings
    from dam.contracts import Finding, Indexer
    from dam.db import Database
    from dam.indexing.batch import Results
    from dam.indexing.pause import Needs
    from dam.indexing.registry import Registry

    Causes = Mapping[tuple[str, str], DamError]  # by asset id and indexer

# Not the input's fault for certain: tried again, and quarantined when it happens too often.
TRY_AGAIN = (DecoderCrashed, DecodeTimeout, OutOfMemory, LibraryOffline)
OTHERS = (DiskFull, WeightsUnavailable)  # not the file's fault: given back untouched
IDLE_S = 0.5  # between two looks at an empty run table
FULL_S = 10.0  # between two tries on a full disk; shorter: more is decoded in vain
REPLAN_S = 5.0  # between two looks, while idle, for models that have come and files unplanned
log = logging.getLogger(__name__)


def worker_name(pid: int, started_s: float) -> str:
    """A name that a recycled process number cannot take over."""
    return f"{pid}-{started_s:.2f}"


def living_workers(settings: Settings) -> list[str]:
    return [worker_name(process.pid, process.started_s) for process in living(settings.run_path)]


class Worker:
    """Claims and indexes until `stop` is set, or (`until_idle`) until nothing is left to claim."""

    def __init__(self, database: Database, settings: Settings, stop: threading.Event) -> None:
        self._database = database
        self._settings = settings
        self._stop = stop
        self._name = worker_name(os.getpid(), psutil.Process().create_time())
        self._replan_at_s = 0.0
        self._loaded = ExitStack()
        self._entered: dict[str, Indexer] = {}
        self.decoded = Counters()  # originals, by kind

    def run(self, *, until_idle: bool = False) -> None:
        settings = self._settings
        limits = Limits(
            timeout_s=settings.decode_timeout_s,
            memory_mb=settings.decode_memory_mb,
            max_pixels=settings.max_pixels,
        )
        with self._loaded, self._heartbeat(), Sandbox(limits, size=settings.decoders) as sandbox:
            self.decoded = sandbox.counters
            sweep_abandoned(settings.previews_path)
            registry = open_registry(self._database, settings)
            plan = plan_runs(self._database, registry)
            turns = Turns()
            while not self._stop.is_set():
                reclaim_lost(self._database, settings, living_workers(settings))
                paused = PauseWatch(self._database, plan.needs)  # anew: a claim needs a fresh look
                awake = {n: i for n, i in plan.producer_ids.items() if n not in paused()}
                claims = claim_batch(self._database, settings, self._name, awake, turns)
                if claims:
                    if not self._index(claims, registry, sandbox, paused):
                        self._replan_at_s = 0.0  # else the same would be claimed again
                        registry, plan = self._replan(registry, plan)
                elif until_idle:
                    self._follow()
                    return
                else:
                    self._stop.wait(IDLE_S)
                    registry, plan = self._replan(registry, plan)

    def _replan(self, registry: Registry, plan: Plan) -> tuple[Registry, Plan]:
        """While idle: a model that was pulled or chosen meanwhile gives new work."""
        if time.monotonic() < self._replan_at_s:
            return registry, plan
        self._replan_at_s = time.monotonic() + REPLAN_S
        compact_indexes(self._database, self._settings)
        self._follow()
        fresh = open_registry(self._database, self._settings)
        fresh_plan = plan_runs(self._database, fresh)
        if fresh_plan.producer_ids == plan.producer_ids:
            return registry, fresh_plan
        self._loaded.close()
        self._entered.clear()
        return fresh, fresh_plan

    def _follow(self) -> None:
        """Makes again what is derived from all findings together."""
        regroup(self._database)
        refresh_taught(self._database)

    def _index(
        self, claims: Sequence[Claim], registry: Registry, sandbox: Sandbox, paused: PauseWatch
    ) -> bool:
        """False when an indexer could not be loaded; its runs are given back then."""
        try:
            indexers = self._enter(claims, registry)
        except (WeightsUnavailable, UpstreamFailed) as error:
            log.warning("Waiting: %s", error)
            self._give_back(claims)
            self._stop.wait(IDLE_S)
            return False
        settings = self._settings
        batch = Batch(
            claims,
            indexers,
            sandbox=sandbox,
            sampling=Sampling(
                tier=settings.video_tier,
                gap_s=settings.video_gap_s,
                sample_s=settings.video_sample_s,
            ),
            previews_path=settings.previews_path,
            decoders=settings.decoders,
            stored=partial(self._stored_findings, registry),
            mended=self._mended,
            stop=self._stop,
            paused=paused,
        )
        try:
            batch.run()
        except Stopped:
            log.info("Stopped or paused; unfinished runs go back to the queue.")
        causes = self._causes(claims, batch.results, needs_of(registry))
        self._store(claims, batch.results, causes, made_of_findings(registry))
        full = next((cause for cause in causes.values() if isinstance(cause, DiskFull)), None)
        if full is not None:
            log.warning("Waiting: %s", full)
            self._stop.wait(FULL_S)
        # An indexer may load its model when it first has something for it.
        return not any(isinstance(cause, WeightsUnavailable) for cause in causes.values())

    def _enter(self, claims: Sequence[Claim], registry: Registry) -> dict[str, Indexer]:
        """The indexers of this batch, weights loaded, in the order of their needs.

        With those of whom they may want query vectors (`Setup.encoder_of`); findings are stored.
        """

        def is_asked(name: str) -> bool:
            return issubclass(registry.classes.get(name, object), Queryable)

        wanted = {name for claim in claims for name in claim.leases}
        for name in wanted & registry.classes.keys():
            wanted.update(n for n in registry.classes[name].needs if is_asked(n))
        for name in registry.classes:
            if name in wanted and name not in self._entered:
                self._entered[name] = self._loaded.enter_context(registry.indexer(name))
        held = {name for claim in claims for name in claim.leases}
        return {name: self._entered[name] for name in registry.classes if name in held}

    def _stored_findings(
        self, registry: Registry, asset_id: str, indexer: str
    ) -> Sequence[Finding]:
        with self._database.read() as session:
            state = session.scalar(
                select(Run.state)
                .join(ProducerRow)
                .join(Asset, (Asset.id == Run.asset_id) & (Asset.revision == Run.revision))
                .where(Run.asset_id == asset_id, ProducerRow.indexer == indexer, ProducerRow.active)
            )
            if state is None:
                raise UpstreamAbsent(f"{indexer} has no findings for this file (off).")
            if state != RunState.DONE:
                raise UpstreamFailed(f"{indexer} has no findings for this file ({state}).")
            known = registry.classes.get(indexer)  # else switched off since
            kinds = [known.produces] if known else []
            return store.load_findings(session, asset_id, indexer, *kinds)

    def _mended(self, asset_id: str, indexer: str, found: Sequence[Finding]) -> Sequence[Finding]:
        if indexer != transcripts.INDEXER:
            return found
        with self._database.read() as session:
            return transcripts.mended(session, asset_id, found)

    # Storing --------------------------------------------------------------------------------

    def _causes(self, claims: Sequence[Claim], results: Results, needs: Needs) -> Causes:
        """Why runs failed: their own errors, or of what they need, where that is the reason."""

        def cause(asset_id: str, name: str) -> DamError | None:
            outcome = results.outcomes.get((asset_id, name))
            error = outcome.error if outcome is not None else None
            if not isinstance(error, UpstreamFailed):
                return error
            found = (cause(asset_id, need) for need in needs.get(name, ()))
            return next((reason for reason in found if reason is not None), error)

        return {
            (claim.asset_id, name): reason
            for claim in claims
            for name in claim.leases
            if (reason := cause(claim.asset_id, name)) is not None
        }

    def _store(
        self, claims: Sequence[Claim], results: Results, causes: Causes, renewed: Needs
    ) -> None:
        """Tries until it is stored: neither a full disk nor a long lock may cost what was found,
        or count against the files."""
        while True:
            try:
                self._write(claims, results, causes, renewed)
            except (OperationalError, Timeout) as error:
                log.warning("What was found cannot be stored yet: %s", error)
                if self._stop.wait(FULL_S):
                    return
            else:
                return

    def _write(
        self, claims: Sequence[Claim], results: Results, causes: Causes, renewed: Needs
    ) -> None:
        lost = self._unreachable(claims, results)
        done: list[tuple[store.Lease, Sequence[Finding]]] = []
        with self._database.write() as session:
            for claim in claims:
                self._describe(session, claim, results)
                for name, lease in claim.leases.items():
                    outcome = results.outcomes.get((claim.asset_id, name))
                    cause = causes.get((claim.asset_id, name))
                    if outcome is None or claim.asset_id in lost or isinstance(cause, OTHERS):
                        release(session, [lease])
                    elif outcome.error is None:
                        done.append((lease, outcome.findings))
                    else:
                        trace = results.traces.get((claim.asset_id, name))
                        state = self._state_after(claim, cause or outcome.error)
                        self._store_failure(session, lease, outcome.error, trace, state)
            for refused in store.save_all(session, done):
                log.warning("Run %d was taken over; its late result was refused.", refused.run_id)
            renew_dependents(session, claims, [lease for lease, _ in done], renewed)
            for file_id in lost.values():
                session.execute(
                    update(File)
                    .where(File.id == file_id)
                    .values(state=FileState.MISSING, missing_us=now_us())
                )

    def _describe(self, session: Session, claim: Claim, results: Results) -> None:
        """What the decode told of the asset and its file besides findings."""
        asset_id = claim.asset_id
        if asset_id in results.thumbhashes:
            thumbhash = results.thumbhashes[asset_id]
            session.execute(update(Asset).where(Asset.id == asset_id).values(thumbhash=thumbhash))
        if asset_id in results.damages:
            damage = results.damages[asset_id]
            session.execute(update(File).where(File.id == claim.file_id).values(error=damage))

    def _store_failure(
        self,
        session: Session,
        lease: store.Lease,
        error: DamError,
        trace: str | None,
        state: RunState,
    ) -> None:
        try:
            store.fail(session, lease, str(error), trace=trace, state=state)
        except LeaseLost as lost:
            log.warning("%s", lost)

    def _state_after(self, claim: Claim, error: DamError) -> RunState:
        if isinstance(error, TRY_AGAIN):
            spent = claim.attempts >= self._settings.attempts
            return RunState.QUARANTINED if spent else RunState.PENDING
        return RunState.FAILED

    def _unreachable(self, claims: Sequence[Claim], results: Results) -> Mapping[str, int]:
        """Assets whose file went away while they waited: asset id → file id. Not their fault."""
        failed = {asset_id for (asset_id, _), o in results.outcomes.items() if o.error is not None}
        return {
            claim.asset_id: claim.file_id
            for claim in claims
            if claim.asset_id in failed and not os.path.lexists(claim.path)
        }

    def _give_back(self, claims: Sequence[Claim]) -> None:
        with self._database.write() as session:
            release(session, [lease for claim in claims for lease in claim.leases.values()])

    @contextmanager
    def _heartbeat(self) -> Iterator[None]:
        """Extends the leases as long as the worker works."""
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(self._settings.lease_s / 3):
                try:
                    extend_leases(self._database, self._settings, self._name)
                except (OperationalError, Timeout):  # busy: the next beat may get through
                    log.warning("A heartbeat did not reach the database", exc_info=True)

        thread = threading.Thread(target=beat, name="heartbeat")
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
