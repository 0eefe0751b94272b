"""The HTTP server: gunicorn with one worker of many threads, or waitress where it cannot run.

One process, because the searches share one vector index in memory; threads, because requests wait
for SQLite, FAISS and disks, which all release the interpreter.
"""

from __future__ import annotations

import atexit
import importlib
import os
import platform
import signal
import threading
from typing import TYPE_CHECKING, Any

from dam.serve import check_bind
from web.services import EXTENSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from apiflask import APIFlask

    from dam.config import Settings

GRACE_S = 5  # a search and a page end in this time; downloads are cut off and resume by range


def serve(settings: Settings, stop: threading.Event) -> None:
    """Serves until `stop` is set. Raises `BadRequest` for an address that others can reach."""
    check_bind(settings)
    if platform.system() == "Windows":
        _serve_with_waitress(settings, stop)
    else:
        _serve_with_gunicorn(settings, stop)


def _load(settings: Settings) -> APIFlask:
    from web.app import create_app  # in the worker: nothing of it may cross a fork

    app = create_app(settings)
    atexit.register(app.extensions[EXTENSION].close)
    app.extensions[EXTENSION].pulls.resume()
    return app


def _serve_with_gunicorn(settings: Settings, stop: threading.Event) -> None:
    from gunicorn.app.base import BaseApplication

    class Application(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in _gunicorn_settings(settings).items():
                if name in self.cfg.settings:  # the control socket is new in gunicorn 25
                    self.cfg.set(name, value)

        def load(self) -> APIFlask:
            return _load(settings)

    def end_on_stop() -> None:
        stop.wait()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=end_on_stop, daemon=True, name="stop").start()
    Application().run()


def _gunicorn_settings(settings: Settings) -> dict[str, Any]:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host

    def end_streams(worker: Any) -> None:
        """Event streams would otherwise hold their threads until the grace is over."""
        app = worker.wsgi
        worker_exit: Callable[[int, Any], None] = worker.handle_exit

        def handle_exit(number: int, frame: Any) -> None:
            app.extensions[EXTENSION].stopping.set()
            worker_exit(number, frame)

        signal.signal(signal.SIGTERM, handle_exit)

    return {
        "bind": f"{host}:{settings.port}",
        "worker_class": "gthread",
        "workers": 1,
        "threads": settings.web_threads,
        "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,  # noqa: PTH112
        "keepalive": 15,
        "graceful_timeout": GRACE_S,
        "timeout": 60,
        "loglevel": "warning",
        "post_worker_init": end_streams,
        "control_socket_disable": True,
    }


def _serve_with_waitress(settings: Settings, stop: threading.Event) -> None:
    app = _load(settings)
    waitress = importlib.import_module("waitress")
    server = waitress.create_server(
        app, host=settings.host, port=settings.port, threads=settings.web_threads
    )
    thread = threading.Thread(target=server.run, daemon=True, name="waitress")
    thread.start()
    stop.wait()
    app.extensions[EXTENSION].stopping.set()
    server.close()
    thread.join(GRACE_S)
