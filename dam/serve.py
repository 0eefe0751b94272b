"""Runs the processes of one machine under one supervisor."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from dam.errors import BadRequest
from dam.indexing.supervise import Child, Supervisor

if TYPE_CHECKING:
    import threading

    from dam.config import Settings


def check_bind(settings: Settings) -> None:
    """Raises `BadRequest` for an address that other machines can reach: there is no login yet."""
    try:
        is_loopback = ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        is_loopback = settings.host == "localhost"
    if not is_loopback:
        raise BadRequest(
            f"DAM_HOST={settings.host} can be reached by other machines, and dam has no login yet. "
            "Use 127.0.0.1 (and, from elsewhere, an SSH tunnel)."
        )


def run_services(settings: Settings, stop: threading.Event) -> None:
    """Web, watcher, encoder and workers until `stop` is set; restarts what dies."""
    children = [Child("web"), Child("encoder"), Child("watch")]
    children += [Child("worker") for _ in range(settings.workers)]
    with Supervisor(settings, children) as supervisor:
        while not stop.wait(1.0):
            supervisor.check()
