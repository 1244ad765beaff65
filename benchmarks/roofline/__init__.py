"""Stages relative to the memory's bandwidth, and projections to other machines."""
