"""Speed and memory of bundles: what `tldr-bench` measures."""
