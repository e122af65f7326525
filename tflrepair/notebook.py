"""How results show themselves in a notebook, and as plain data or a table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from tflrepair.errors import UnsupportedError
from tflrepair.wording import grouped

_MOST = 200  # rows of a table in a notebook; ``to_dataframe`` has all


class Presentable(ABC):
    """A result with a title and rows. Subclasses are dataclasses with ``repr=False``."""

    @abstractmethod
    def headline(self) -> str:
        """What it is, in a line."""

    @abstractmethod
    def rows(self) -> list[dict[str, Any]]:
        """What it holds, each row with the same keys, of plain types."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {printable(self.headline())}>"

    def _repr_html_(self) -> str:
        rows = self.rows()
        text = f"<p><b>{_html(self.headline())}</b></p>"
        if not rows:
            return text
        head = "".join(f"<th>{_html(key)}</th>" for key in rows[0])
        body = "".join(
            "<tr>" + "".join(f"<td>{_html(value)}</td>" for value in row.values()) + "</tr>"
            for row in rows[:_MOST]
        )
        more = f"<p>and {grouped(len(rows) - _MOST)} more</p>" if len(rows) > _MOST else ""
        return f"{text}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"

    def to_dict(self) -> dict[str, Any]:
        """The headline and all rows."""
        return {"headline": self.headline(), "rows": self.rows()}

    def to_dataframe(self) -> Any:
        """All rows as a pandas.DataFrame.

        Raises:
            UnsupportedError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise UnsupportedError("pandas is not installed", hint="pip install pandas") from None

        return pandas.DataFrame(self.rows())


def printable(text: str) -> str:
    """``text`` without what a terminal would obey."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _html(value: Any) -> str:
    from html import escape

    return escape(printable("" if value is None else str(value)))
