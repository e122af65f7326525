"""For the site: links to files outside docs/ become links to the repository."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

_LINK = re.compile(r"\]\((\.\./[^)\s]+)\)")


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: Any) -> str:
    base = f"{config['repo_url']}/blob/main/"

    def absolute(match: re.Match[str]) -> str:
        parts: list[str] = []
        for part in (PurePosixPath("docs", page.file.src_uri).parent / match[1]).parts:
            if part == "..":
                parts.pop()
            else:
                parts.append(part)
        if parts[0] == "docs":
            return match[0]
        return f"]({base}{'/'.join(parts)})"

    return _LINK.sub(absolute, markdown)
