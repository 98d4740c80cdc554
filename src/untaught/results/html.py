"""Pieces of a page of HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from untaught.results.style import CSS


def document(title: str, body: str) -> str:
    """Return an HTML document with the style sheet in it; `body` is HTML."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{CSS}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def section(title: str, *content: str) -> str:
    """Return a section with a heading; `content` is HTML."""
    return f"<section>\n<h2>{escape(title)}</h2>\n" + "\n".join(content) + "\n</section>"


def paragraph(text: str, kind: str = "") -> str:
    """Return `text`, escaped, as a paragraph."""
    attribute = f' class="{kind}"' if kind else ""
    return f"<p{attribute}>{escape(text)}</p>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], kinds: str) -> str:
    """Return a table of escaped cells; `kinds` has one letter a column: n number, t text, else plain."""

    def cells(tag: str, row: Sequence[str]) -> str:
        made = (f'<{tag} class="{k}">{escape(c)}</{tag}>' for k, c in zip(kinds, row, strict=True))
        return f"<tr>{''.join(made)}</tr>"

    body = "".join(cells("td", row) for row in rows)
    return f'<div class="scroll"><table><thead>{cells("th", head)}</thead><tbody>{body}</tbody></table></div>'
