"""The text of inline elements: on one line, pictures by their description, raised digits as such."""

from collections.abc import Callable, Iterator

from selectolax.lexbor import LexborNode

from handlers.readers.markup.visibility import Visibility
from handlers.readers.text.raised import LOWERED, RAISED

BLOCKS = frozenset((
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "div",
    "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hgroup", "hr", "html", "legend", "li", "main", "menu", "ol", "p", "pre", "section", "summary",
    "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
))  # fmt: skip


def walk(root: LexborNode, enters: Callable[[LexborNode], bool]) -> Iterator[tuple[LexborNode, bool]]:
    """Every text and element below `root` that is entered, twice: when it begins (True) and when it ends.

    Without recursion: pages may be nested as deeply as they like.
    """
    node = root.child
    while node is not None:
        is_read = node.is_text_node or (node.is_element_node and enters(node))
        if is_read:
            yield node, True
            if node.child is not None:
                node = node.child
                continue
            yield node, False
        while node is not None and node.next is None:
            node = node.parent
            if node is None or node.mem_id == root.mem_id:
                return
            yield node, False
        node = node.next if node is not None else None


def inline_text(root: LexborNode, visibility: Visibility) -> str:
    """All visible text inside, with spaces where blocks and line breaks were."""
    pieces: list[str] = []
    for node, begins in walk(root, visibility.shows):
        if node.is_text_node:
            pieces.append(shown_text(node) if begins else "")
        elif node.tag in BLOCKS or node.tag == "br":
            pieces.append(" ")
        elif node.tag == "img" and begins:
            pieces.append(f" {node.attributes.get('alt') or ''} ")
    return " ".join("".join(pieces).split())


def shown_text(node: LexborNode) -> str:
    """A text node's letters; a raised or lowered number is no digit of the one before it."""
    text = node.text_content or ""
    parent = node.parent
    while parent is not None and parent.tag in ("a", "b", "i", "em", "strong", "span", "small"):
        parent = parent.parent
    if parent is not None and parent.tag == "sup":
        return text.translate(RAISED)
    if parent is not None and parent.tag == "sub":
        return text.translate(LOWERED)
    return text
