"""Which elements a reader of the page does not see, or does not come for."""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

UNSEEN = frozenset((
    "script", "style", "template", "noscript", "svg", "iframe", "object", "embed", "canvas", "audio", "video",
    "textarea", "select", "button", "input", "head", "datalist", "math", "nav",
))  # fmt: skip
UNSEEN_ROLES = frozenset({"navigation", "search", "menu", "menubar", "alertdialog"})
CONSENT = re.compile(r"cookie|consent|gdpr", re.IGNORECASE)
MAX_CONSENT_CHARACTERS = 3_000
HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
SIMPLE = re.compile(r"[.#][\w-]+")
MAX_STYLE_CHARACTERS = 500_000


class Visibility:
    """Decides for one page, whose own style sheets may hide classes and ids by name."""

    def __init__(self, page: LexborHTMLParser) -> None:
        self._hidden: set[str] = set()
        for style in page.css("style"):
            for selectors, declarations in RULE.findall(style.text()[:MAX_STYLE_CHARACTERS]):
                if HIDING.search(declarations):
                    self._hidden.update(one.strip() for one in selectors.split(",") if SIMPLE.fullmatch(one.strip()))

    def shows(self, node: LexborNode) -> bool:
        """Whether the element and what is in it is read."""
        tag, attributes = node.tag or "", node.attributes
        if tag in UNSEEN or (attributes.get("role") or "") in UNSEEN_ROLES:
            return False
        if tag == "dialog" and "open" not in attributes:
            return False
        if not attributes:
            return True
        if ("hidden" in attributes and attributes["hidden"] != "until-found") or attributes.get(
            "aria-hidden"
        ) == "true":
            return False
        if HIDING.search(attributes.get("style") or "") or self._is_hidden_by_name(attributes):
            return False
        return not _asks_for_consent(node, attributes)

    def _is_hidden_by_name(self, attributes: dict[str, str | None]) -> bool:
        if not self._hidden:
            return False
        names = [f".{one}" for one in (attributes.get("class") or "").split()]
        return not self._hidden.isdisjoint([*names, f"#{attributes.get('id') or ''}"])


def _asks_for_consent(node: LexborNode, attributes: dict[str, str | None]) -> bool:
    named = " ".join(filter(None, (attributes.get("id"), attributes.get("class"), attributes.get("aria-label"))))
    return (
        node.tag not in ("html", "body", "main", "article")
        and CONSENT.search(named) is not None
        and len(node.text()) < MAX_CONSENT_CHARACTERS
    )
