"""The TLDR model in PyTorch, as paper arXiv 2606.09019 describes it."""
