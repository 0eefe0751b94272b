"""The report of quality control: what was measured of assets, what is wrong with them and when."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TextIO

from sqlalchemy import select

from dam.quality import quality_of
from dam.search.facts import facts_of
from dam.tables import Asset, ProducerRow, Run, RunState
from dam.trash import not_in_trash

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.orm import Session

    from dam.quality import AssetQuality

INDEXER = "quality"
_PART = 500  # assets at once: a report on everything never lies in memory as a whole
COLUMNS = ("asset_id", "path", "kind", "checked", "measure", "value", "unit", "fault", "start_s",
           "end_s", "start", "end")  # fmt: skip


@dataclass(frozen=True, slots=True)
class CheckedAsset:
    asset_id: str
    path: str
    kind: str
    checked: bool  # False: nothing was measured yet, so an empty list says nothing
    measured: list[AssetQuality]

    @property
    def faults(self) -> int:
        return sum(quality.is_fault for quality in self.measured)


def checked_assets(
    session: Session, asset_ids: Sequence[str] | None = None
) -> Iterator[CheckedAsset]:
    """Of everything, oldest id first, or of some; what has no file or lies in the trash is left
    out."""
    for part in _parts(session, asset_ids):
        facts = facts_of(session, part)
        measured = quality_of(session, part)
        checked = set(
            session.scalars(
                select(Run.asset_id)
                .join(ProducerRow)
                .join(Asset, (Asset.id == Run.asset_id) & (Asset.revision == Run.revision))
                .where(
                    Run.asset_id.in_(part),
                    Run.state == RunState.DONE,
                    ProducerRow.indexer == INDEXER,
                )
            )
        )
        for asset_id in part:
            if asset_id in facts:
                fact = facts[asset_id]
                is_checked = asset_id in checked
                yield CheckedAsset(
                    asset_id, fact.path, fact.kind.value, is_checked, measured[asset_id]
                )


def write_json(assets: Iterable[CheckedAsset], out: TextIO) -> int:
    """`{"assets": […]}`, written as it comes; gives the number of assets."""
    out.write('{"assets": [')
    count = 0
    for asset in assets:
        out.write(",\n" if count else "\n")
        json.dump(asdict(asset), out, ensure_ascii=False)
        count += 1
    out.write("\n]}\n")
    return count


def write_csv(assets: Iterable[CheckedAsset], out: TextIO) -> int:
    """A row a value (RFC 4180); an asset without any has one empty row, so that none is lost."""
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    count = 0
    for asset in assets:
        known = {
            "asset_id": asset.asset_id,
            "path": asset.path,
            "kind": asset.kind,
            "checked": "yes" if asset.checked else "no",
        }
        writer.writerows([{**known, **_row(q)} for q in asset.measured] or [known])
        count += 1
    return count


def _row(quality: AssetQuality) -> dict[str, Any]:
    return {
        "measure": quality.measure,
        "value": round(quality.value, 4),
        "unit": quality.unit or "",
        "fault": "yes" if quality.is_fault else "no",
        "start_s": quality.start_s,
        "end_s": quality.end_s,
        "start": _clock(quality.start_s),
        "end": _clock(quality.end_s),
    }


def _clock(seconds: float | None) -> str:
    """`01:02:03.456`, as editors show it."""
    if seconds is None:
        return ""
    whole_ms = round(seconds * 1000)
    minutes, ms = divmod(whole_ms, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{ms // 1000:02}.{ms % 1000:03}"


def _parts(session: Session, asset_ids: Sequence[str] | None) -> Iterator[Sequence[str]]:
    if asset_ids is not None:
        for start in range(0, len(asset_ids), _PART):
            yield asset_ids[start : start + _PART]
        return
    last = ""
    while part := session.scalars(
        select(Asset.id).where(Asset.id > last, not_in_trash()).order_by(Asset.id).limit(_PART)
    ).all():
        yield part
        last = part[-1]
