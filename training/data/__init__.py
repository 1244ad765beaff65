"""Sentences, the teacher and the corpus."""
