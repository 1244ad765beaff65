"""The waveform decoder."""
