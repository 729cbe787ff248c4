"""A word of a page, and the box that it stands in."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle in points; y grows upwards."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def area(self) -> float:
        """In square points; 0 for a box that is turned inside out."""
        return max(0.0, self.right - self.left) * max(0.0, self.top - self.bottom)

    def common(self, other: "Box") -> "Box":
        """Where both are; its area is 0 when they do not meet."""
        return Box(
            max(self.left, other.left),
            max(self.bottom, other.bottom),
            min(self.right, other.right),
            min(self.top, other.top),
        )

    def turned(self, quarters: int) -> "Box":
        """The box after the page was turned so that text which runs `quarters` × 90° counter-clockwise lies level."""
        left, bottom, right, top = self
        if quarters == 1:
            return Box(bottom, -right, top, -left)
        if quarters == 2:
            return Box(-right, -top, -left, -bottom)
        if quarters == 3:
            return Box(-top, left, -bottom, right)
        return self


class Space(Enum):
    """`MADE`: by pdfium, because of a gap. `WRITTEN`: as a character of the file."""

    NONE = 0
    MADE = 1
    WRITTEN = 2


@dataclass(slots=True)
class Word:
    """Letters without a space between them, as one text object draws them.

    `box` lies in the frame of the text: level, from left to right. `size` and `baseline` are in points. `space`:
    how it is set off from the word before it. `quarters`: which way it runs on the page, None for any other angle.
    """

    text: str
    box: Box
    baseline: float
    size: float
    space: Space = Space.MADE
    is_bold: bool = False
    quarters: int | None = 0
    is_raised: bool = False
