"""What is stored with a vector comes back as a passage, also from points that older versions wrote."""

import numpy as np

from stores.vectors.store import Chunk, newest_passages, payload

VECTOR = np.ones(1, np.float32)


def test_the_pages_come_back():
    stored = payload("acme", Chunk("doc", 1, 0, "Title", "text", VECTOR, page=3, page_end=4))

    (passage,) = newest_passages([(stored, 0.5)])

    assert (passage.page, passage.page_end) == (3, 4)


def test_a_point_that_was_stored_without_a_last_page_lies_on_one():
    stored = payload("acme", Chunk("doc", 1, 0, "Title", "text", VECTOR, page=3))
    del stored["page_end"]

    (passage,) = newest_passages([(stored, 0.5)])

    assert (passage.page, passage.page_end) == (3, None)
