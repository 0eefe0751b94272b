"""Search: `SearchService.search(Query(...))` → `Results`, printed by `results_as_json`."""

from dam.search.parse import filters_of
from dam.search.query import (
    Channel,
    Filters,
    Hit,
    Moment,
    Query,
    Results,
    Waiting,
    results_as_json,
)
from dam.search.service import SearchService

__all__ = [
    "Channel",
    "Filters",
    "Hit",
    "Moment",
    "Query",
    "Results",
    "SearchService",
    "Waiting",
    "filters_of",
    "results_as_json",
]
