"""Every error that dam raises on purpose.

The class docstring is the default message. Three families decide what happens to the work at
hand: permanent errors fail the run, retry-later errors leave it pending, `OutOfMemory` halves the
batch. Anything that is not a `DamError` is a bug: its traceback is recorded and that run fails.
"""


class DamError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class Permanent(DamError):
    """Trying again will not help until the input changes."""


class RetryLater(DamError):
    """The work can be done once a condition outside of it changes."""


class UnreadableMedia(Permanent):
    """The file cannot be decoded as a photo, a video or sound."""


class UnsupportedMedia(UnreadableMedia):
    """This kind of file is not indexed."""


class OverLimit(UnreadableMedia):
    """The file is larger than a limit that protects this machine."""


class DamagedUpload(Permanent):
    """What arrived is not the file that was announced: its BLAKE3 hash differs. Upload it again."""


class DecodeTimeout(Permanent):
    """Decoding took longer than DAM_DECODE_TIMEOUT_S allows."""


class DecoderCrashed(RetryLater):
    """The decoder process died while it read the file."""


class WeightsUnavailable(RetryLater):
    """The model's weights are not on this machine."""


class LibraryOffline(RetryLater):
    """The library's folder is not there, or it is not the folder that was added."""


class UpstreamFailed(RetryLater):
    """Findings of another indexer that this one needs are not there."""


class UpstreamAbsent(UpstreamFailed):
    """Another indexer does not work on this file: it is switched off, or waits for its model."""


class OutOfMemory(DamError):
    """The batch does not fit into memory."""


class LeaseLost(DamError):
    """Another worker took this run over; the result was refused."""


class NotFound(DamError):
    """There is nothing by that name or id."""


class BadRequest(DamError):
    """The request cannot be understood."""


class Conflict(DamError):
    """The request contradicts what is already there."""


class NotAllowed(DamError):
    """A setting or the file system does not allow this."""


class DiskFull(RetryLater):
    """There is no room left on the disk."""


class IndexDamaged(DamError):
    """A vector index file does not match its manifest."""


class SchemaBusy(DamError):
    """The database must be upgraded, and other dam processes are still using it."""
