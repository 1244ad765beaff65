"""HTML pages of all reports: one template environment that escapes every value."""

from __future__ import annotations

from pathlib import Path

import jinja2


def render(template: str, **values: object) -> str:
    """Fill a template of this folder. jinja2.UndefinedError for a value that is missing."""
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True,
                                     lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    return environment.get_template(template).render(**values)
