"""Findings that are made of other findings alone are made again when those change.

An indexer that also reads media is left: looking again takes as long as the first time, and what
it needs (the shots of a video) hardly changes what it finds.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from dam import store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from dam.indexing.claim import Claim
    from dam.indexing.pause import Needs
    from dam.indexing.registry import Registry


def made_of_findings(registry: Registry) -> Needs:
    """What each indexer needs that reads nothing else."""
    return {name: cls.needs for name, cls in registry.classes.items() if not cls.reads}


def renew_dependents(
    session: Session, claims: Iterable[Claim], done: Iterable[store.Lease], needs: Needs
) -> None:
    """Puts back to work what was made of older findings than those of the runs in `done`.

    What is part of the same claim has waited for them and seen them.
    """
    stored = {lease.run_id for lease in done}
    stale: dict[str, list[str]] = defaultdict(list)
    for claim in claims:
        fresh = {name for name, lease in claim.leases.items() if lease.run_id in stored}
        for name, wanted in needs.items():
            if name not in claim.leases and fresh.intersection(wanted):
                stale[name].append(claim.asset_id)
    for name, asset_ids in stale.items():
        store.make_again(session, asset_ids, [name])
