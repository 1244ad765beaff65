"""Measuring what the toolkit makes: quality now, speed and memory next."""
