"""Everything that can go wrong for a user, one class a thing that a user can fix, under one root."""

from __future__ import annotations


class TldrError(Exception):
    """Root of this toolkit's errors; the message says what is wrong and what to do. CLIs print it and exit with 2."""


class TextError(TldrError):
    """The text is empty, holds nothing speakable, or is beyond the documented limit."""


class NothingToSayError(TextError):
    """The text holds no letter, digit or sign that can be spoken."""


class VoiceError(TldrError):
    """The bundle has no voice of that name, or cannot clone one."""


class BundleError(TldrError):
    """A bundle is missing, incomplete, corrupt, foreign, or of a schema this version does not read."""


class CheckpointError(TldrError):
    """A checkpoint is missing, incomplete, corrupt, or does not fit the model that was asked for."""


class OptionError(TldrError):
    """An option's value is out of its range, such as a patch size that the checkpoint was not trained for."""


class BackendError(TldrError):
    """An inference library or its device is missing, or a graph does not load or run on it."""


class BusyError(TldrError):
    """The calling thread still holds an unfinished stream of this synthesizer, so waiting for it would never end."""


class ParityError(TldrError):
    """An exported graph does not compute what its PyTorch module computes; nothing was written."""


class OutputError(TldrError):
    """A result cannot be written: unwritable path, full disk."""


class Cancelled(TldrError):
    """Synthesis was cancelled by the caller."""
