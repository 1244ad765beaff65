"""The classes of spans: their patterns and how each is said."""
