"""Samples as a device or file needs them: rate, gain, encoded formats, playback."""
