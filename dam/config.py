"""The settings of one dam installation: every one is an environment variable `DAM_*`.

Read once by the entry points (CLI, web, worker) and passed down; nothing below them looks at the
environment. `dam config` lists them, and a test fails when one is missing from the manual.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path

import platformdirs
import psutil
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class VideoTier(StrEnum):
    FAST = "fast"
    QUALITY = "quality"


def _physical_cores() -> int:
    return psutil.cpu_count(logical=False) or os.cpu_count() or 1


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="DAM_", frozen=True, extra="ignore")

    home: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("dam")),
        description="Where dam keeps its database, previews, vector index and logs.",
    )
    models: Path | None = Field(
        default=None,
        description="A folder of local models, looked in before the ones dam pulled itself.",
    )
    offline: bool = Field(default=False, description="Never contact a model hub.")

    # Decoding
    max_pixels: int = Field(
        default=250_000_000,
        gt=0,
        description="A picture with more pixels than this is refused, not decoded.",
    )
    decode_timeout_s: float = Field(
        default=120.0,
        gt=0,
        description="A decoder that shows no progress for this long is killed.",
    )
    decode_memory_mb: int = Field(
        default=4096, ge=256, description="Memory one decoder process may take, in MiB."
    )
    decoders: int = Field(
        default_factory=lambda: min(4, _physical_cores()),
        ge=1,
        description="Decoder processes per worker.",
    )
    exiftool: str = Field(
        default="exiftool", description="The ExifTool program; without it Pillow and PyAV read."
    )
    video_tier: VideoTier = Field(
        default=VideoTier.FAST,
        description="fast samples keyframes; quality decodes every frame and is frame-exact.",
    )
    video_gap_s: float = Field(
        default=4.0,
        gt=0,
        description="Longest time without a sampled frame; longer gaps are decoded fully.",
    )
    video_sample_s: float = Field(
        default=2.0, gt=0, description="Shortest time between two frames given to models."
    )

    # Indexing
    indexers: str = Field(
        default="", description="Indexers to run, comma-separated; empty means all."
    )
    workers: int = Field(default=1, ge=1, description="Worker processes of dam serve and index.")
    threads: int = Field(
        default_factory=_physical_cores, ge=1, description="Threads of one model in one worker."
    )
    lease_s: float = Field(
        default=60.0,
        gt=1,
        description="A worker silent for this long has lost its work to another one.",
    )
    attempts: int = Field(
        default=3, ge=1, description="A run that kills its worker this often is quarantined."
    )
    visual_model: str = Field(
        default="auto",
        description=(
            "Picture model: a preset (mini, fast, balanced, best), an open_clip name such as "
            "ViT-B-32/laion2b_s34b_b79k, or a folder. auto takes the best one on this machine."
        ),
    )
    built_in_model: bool = Field(
        default=True,
        description=(
            "Whether the models that come with dam may be used: mini, the evaluation encoder, and "
            "minilm, which compares sentences."
        ),
    )
    visual_runtime: str = Field(
        default="auto", description="torch, openvino, or auto (openvino where it is installed)."
    )
    visual_precision: str = Field(
        default="auto", description="fp32, bf16, or auto (bf16 where the processor has it)."
    )
    sounds_model: str = Field(
        default="auto",
        description=(
            "Model of sound events: the preset ast, or a folder of an audio spectrogram transformer"
            "; auto takes the one on this machine."
        ),
    )
    sound_space_model: str = Field(
        default="auto",
        description=(
            "Model of sounds and words: the preset clap, or a folder of a CLAP network; auto takes "
            "the one on this machine."
        ),
    )
    speech_model: str = Field(
        default="auto",
        description=(
            "Speech model: a preset (whisper-small, whisper-medium, whisper-large-v3), or a folder "
            "that faster-whisper loads. auto takes the best one on this machine."
        ),
    )
    words_model: str = Field(
        default="auto",
        description=(
            "Model of sentences, which finds what is said and written by what it means: a preset "
            "(e5-small, minilm), or a folder of sentence-transformers with mean pooling. auto "
            "takes the best one on this machine."
        ),
    )
    speech_translate: bool = Field(
        default=False,
        description="Whether speech in other languages is translated to English as well.",
    )
    faces_model: str = Field(
        default="auto",
        description=(
            "Face model: a preset (sface, auraface), or a folder with a YuNet detector and a "
            "recogniser of aligned faces. auto takes the best one on this machine."
        ),
    )
    vocabularies: str = Field(
        default="",
        description="Tag vocabularies, comma-separated names or files; empty means the built-in.",
    )

    # Watching
    settle_s: float = Field(
        default=2.0, ge=0, description="A file is taken when it has been still for this long."
    )
    rescan_s: float = Field(
        default=900.0, gt=0, description="Time between two full scans of a watched library."
    )
    missing_fraction: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="More newly missing files than this (and than 5) suspend a library.",
    )

    # Files in and out of the web app
    folder_roots: str = Field(
        default="",
        description=(
            "Folders below which the web app may add libraries, separated by colons; empty means "
            "the home folder, /media, /mnt, /run/media, /srv and /Volumes."
        ),
    )
    upload_mb: int = Field(
        default=20_480, ge=1, description="The largest file that can be uploaded, in MiB."
    )
    full_cache_mb: int = Field(
        default=2048,
        ge=1,
        description="Disk space for full-size pictures made of RAW, HEIC and the like, in MiB.",
    )

    # Web
    host: str = Field(default="127.0.0.1", description="Address of the web server.")
    port: int = Field(default=8470, ge=0, le=65535, description="Port of the web server.")
    web_threads: int = Field(
        default=16, ge=4, description="Threads of the web server; a quarter of them may stream."
    )
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @property
    def database_path(self) -> Path:
        return self.home / "dam.sqlite3"

    @property
    def previews_path(self) -> Path:
        return self.home / "previews"

    @property
    def index_path(self) -> Path:
        return self.home / "index"

    @property
    def pulled_models_path(self) -> Path:
        return self.home / "models"

    @property
    def cache_path(self) -> Path:
        return self.home / "cache"

    @property
    def uploads_path(self) -> Path:
        return self.home / "uploads"

    @property
    def run_path(self) -> Path:
        """Sockets and locks of live processes."""
        return self.home / "run"

    def as_environment(self) -> dict[str, str]:
        """The same settings for a child process."""
        return {
            f"DAM_{name.upper()}": str(value)
            for name, value in self.model_dump().items()
            if value is not None
        }

    @staticmethod
    def names(listed: str) -> tuple[str, ...]:
        """The parts of a comma-separated setting."""
        return tuple(part.strip() for part in listed.split(",") if part.strip())
