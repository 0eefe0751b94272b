"""8-bit codes of many vectors, in FAISS; the only module that imports it.

Codes propose, they do not decide: whatever they return is ranked again by the stored vectors.
Flat codes are scanned whole. Above `cells_above` vectors they are sorted into cells (IVF), of
which a query looks into some; text queries lie outside of the pictures' distribution and need
many more of them than the literature's picture queries do.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

    from dam.contracts import Unit
    from dam.vectors.snapshot import Buffer

ITERATIONS = 8  # of k-means; more cost minutes at a million vectors and find no more
# How much wider a filter makes a query look: by 1.6 when it passes 10 %, by 2.5 at 1 %. Measured
# at a million vectors: recall@10 ≥ .994; less loses neighbours, more is slower than no filter.
WIDENING = 0.2


class Codes:
    """Positions are counted from 0 in the order of adding. Searching is thread-safe."""

    def __init__(self, index: Any) -> None:
        self._index = index

    @classmethod
    def trained(cls, sample: Unit, *, total: int, cells_above: int, threads: int) -> Self:
        """Learns ranges (and cells) from `sample`, which must be spread over all vectors."""
        faiss.omp_set_num_threads(threads)
        dim = sample.shape[1]
        kind, metric = faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
        index: Any = faiss.IndexScalarQuantizer(dim, kind, metric)
        if total > cells_above:
            cells = max(1, int(2 * math.sqrt(total)))
            index = faiss.IndexIVFScalarQuantizer(faiss.IndexFlatIP(dim), dim, cells, kind, metric)
            index.cp.niter = ITERATIONS
            index.cp.min_points_per_centroid = 1  # below, FAISS prints its doubts
            index.set_direct_map_type(faiss.DirectMap.Array)  # type: ignore[attr-defined]
        index.train(sample)
        return cls(index)

    @classmethod
    def opened(cls, serialised: Buffer) -> Self:
        """Of bytes that are known to be what `serialised` returned: FAISS trusts them."""
        return cls(faiss.deserialize_index(serialised))

    def serialised(self) -> Buffer:
        found: Buffer = faiss.serialize_index(self._index)
        return found

    def add(self, matrix: Unit) -> None:
        self._index.add(matrix)

    @property
    def shape(self) -> tuple[int, int]:
        return self._index.ntotal, self._index.d

    @property
    def codec(self) -> str:
        return "ivf-sq8" if isinstance(self._index, faiss.IndexIVF) else "sq8"

    def decoded(self, positions: NDArray[np.int64]) -> Unit:
        return np.stack([self._index.reconstruct(int(at)) for at in positions])

    def nearest(
        self, query: Unit, wanted: int, *, usable: NDArray[np.bool_] | None, probes: int
    ) -> NDArray[np.int64]:
        """Positions of about the `wanted` nearest vectors among the usable ones."""
        faiss.omp_set_num_threads(1)  # holds for this thread: many people's queries run at once
        chosen: dict[str, Any] = {}
        share = 1.0
        if usable is not None:
            bits = np.packbits(usable, bitorder="little")
            chosen["sel"] = faiss.IDSelectorBitmap(bits)  # type: ignore[arg-type,call-arg]
            share = max(float(usable.mean()), 1e-6)
        if not isinstance(self._index, faiss.IndexIVF):
            return self._found(query, wanted, faiss.SearchParameters(**chosen))
        cells = self._index.nlist
        looked_into = min(cells, math.ceil(probes * share**-WIDENING))
        while True:
            parameters = faiss.SearchParametersIVF(
                nprobe=looked_into,  # type: ignore[call-arg]
                **chosen,
            )
            found = self._found(query, wanted, parameters)
            # What passes the filter may lie in other cells than what the query is near to.
            if len(found) >= wanted or looked_into == cells:
                return found
            looked_into = cells

    def _found(self, query: Unit, wanted: int, parameters: Any) -> NDArray[np.int64]:
        _, found = self._index.search(query[None, :], wanted, params=parameters)
        positions: NDArray[np.int64] = found[0][found[0] >= 0]
        return positions
