"""Figures as tables on the console, as Markdown, and as one self-contained page."""
