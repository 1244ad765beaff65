"""Speech backends of the server: a synthesizer of this process; replicas are in `serving.ray_app`."""
