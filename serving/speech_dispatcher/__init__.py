"""A module for speech-dispatcher, through which Linux screen readers speak."""
