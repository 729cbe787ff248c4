"""The symbol fonts of TeX without a table of characters: the letters that stand in the file are codes of symbols."""

SYMBOLS = str.maketrans(
    {"0": "′", "6": "̸", "8": "∀", "9": "∃", "f": "{", "g": "}", "h": "⟨", "i": "⟩", "j": "|", "k": "‖",
     "p": "√", "r": "∇", "x": "§", "A": "ℵ"}
)  # fmt: skip
EXTENSIONS = str.maketrans(
    {"P": "∑", "X": "∑", "Q": "∏", "Y": "∏", "R": "∫", "Z": "∫", "S": "⋃", "[": "⋃", "T": "⋂", "\\": "⋂", "L": "⊕",
     "M": "⊕", "N": "⊗", "O": "⊗", "_": "⋁", "^": "⋀", "f": "{", "g": "}", "h": "⟨", "i": "⟩", "j": "|", "k": "‖",
     "p": "√", "z": "", "{": "", "|": "", "}": "", "n": "{", "o": "}", "8": "{", "9": "}"}
)  # fmt: skip


def symbols_of(font_name: str) -> dict[int, str] | None:
    """What the codes of this font stand for; None when it is no such font."""
    name = font_name.rpartition("+")[2].upper()
    if name.startswith(("CMSY", "CMBSY")):
        return SYMBOLS
    return EXTENSIONS if name.startswith("CMEX") else None
